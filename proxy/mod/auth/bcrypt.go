package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"runtime"

	"golang.org/x/crypto/bcrypt"
	//lint:ignore SA1019 bcrypt is made of it
	"golang.org/x/crypto/blowfish"
)

const (
	bcryptSalt   = 22 // characters
	bcryptDigest = 31
	bcryptBytes  = 72 // of a password; httpd lets longer ones be cut there
)

var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

// bcryptFits holds a password against a hash $2y$NN$ and salt and digest. It lets others run about every
// millisecond, where x/crypto's CompareHashAndPassword keeps a processor for a fifth of a second, and the
// event loops wait that much (Provos and Mazieres, A Future-Adaptable Password Scheme, section 4).
func bcryptFits(password, hash string) bool {
	cost, err := bcrypt.Cost([]byte(hash)) // checks what stands in front of the salt, too
	if err != nil || len(hash) < bcryptSalt+bcryptDigest {
		return false
	}
	tail := hash[len(hash)-bcryptSalt-bcryptDigest:]
	if hash[len(hash)-len(tail)-1] != '$' {
		return false
	}
	digest, err := bcryptDigestOf(password[:min(len(password), bcryptBytes)], cost, tail[:bcryptSalt])
	return err == nil && subtle.ConstantTimeCompare([]byte(digest), []byte(tail[bcryptSalt:])) == 1
}

// bcryptDigestOf is the digest as the hash has it.
func bcryptDigestOf(password string, cost int, salt string) (string, error) {
	raw, err := bcryptBase64.DecodeString(salt)
	if err != nil {
		return "", err
	}
	key := append([]byte(password), 0)
	c, err := blowfish.NewSaltedCipher(key, raw)
	if err != nil {
		return "", err
	}
	for i := range uint64(1) << cost {
		if i%16 == 15 {
			runtime.Gosched()
		}
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(raw, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for block := text; len(block) > 0; block = block[blowfish.BlockSize:] {
		for range 64 {
			c.Encrypt(block, block)
		}
	}
	return bcryptBase64.EncodeToString(text[:len(text)-1]), nil
}
