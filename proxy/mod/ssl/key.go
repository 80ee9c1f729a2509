package ssl

import (
	"balancerd/apacheconf/directive"
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// readKey is a server's key. An encrypted one is opened with what the dialog's program says.
func readKey(fsys directive.FileSystem, path, id, dialog string) (crypto.PrivateKey, error) {
	b, err := fsys.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("AH02574: Init: Can't open server private key file %s", path)
	}
	found := false
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		found = true
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		der, err := plainKey(fsys, block, id, dialog)
		if err != nil {
			return nil, err
		}
		if key, err := parseKey(der); err == nil {
			return key, nil
		}
	}
	if key, err := parseKey(b); !found && err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("AH02564: Failed to configure encrypted (?) private key %s, check %s", id, path)
}

// readKeys are a file's keys that are not encrypted.
func readKeys(fsys directive.FileSystem, path string) ([]crypto.PrivateKey, error) {
	b, err := fsys.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []crypto.PrivateKey
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out, nil
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key, err := parseKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
}

func parseKey(der []byte) (crypto.PrivateKey, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	return x509.ParseECPrivateKey(der)
}

// plainKey is a block's key, decrypted where that is needed: the old way by its header, the new one by
// PKCS #8.
func plainKey(fsys directive.FileSystem, block *pem.Block, id, dialog string) ([]byte, error) {
	old := block.Headers["DEK-Info"] != ""
	if !old && block.Type != "ENCRYPTED PRIVATE KEY" {
		return block.Bytes, nil
	}
	if dialog == "" {
		return nil, fmt.Errorf("AH02577: Init: SSLPassPhraseDialog builtin is not supported here: private key %s is encrypted, and nobody can be asked for its pass phrase\nhint: SSLPassPhraseDialog exec:/path/to/program prints it, or \"openssl pkey\" writes the key without one", id)
	}
	phrase, err := ask(fsys, dialog, id)
	if err != nil {
		return nil, fmt.Errorf("AH02578: Init: Unable to read pass phrase [Hint: key introduced or changed before restart?]: %w", err)
	}
	var der []byte
	if old {
		//lint:ignore SA1019 keys that were encrypted so exist, and httpd reads them
		der, err = x509.DecryptPEMBlock(block, phrase)
	} else {
		der, err = decryptPKCS8(block.Bytes, phrase)
	}
	if err == nil { // a wrong phrase leaves a right padding once in 256 times
		_, err = parseKey(der)
	}
	if err != nil {
		return nil, fmt.Errorf("AH02580: Init: Pass phrase incorrect for key %s", id)
	}
	return der, nil
}

// ask runs the dialog's program; its first line is the pass phrase
// (httpd: ssl_engine_pphrase.c ssl_pphrase_Handle_CB, ssl_util_readfilter).
func ask(fsys directive.FileSystem, program, id string) ([]byte, error) {
	out, err := fsys.Output(program, id)
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// The parameters of PKCS #5 version 2 (RFC 8018 appendix A).
type pbes2 struct {
	KDF, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type encryptedKey struct {
	Algorithm struct {
		OID    asn1.ObjectIdentifier
		Params asn1.RawValue `asn1:"optional"`
	}
	Data []byte
}

var prfs = map[string]func() hash.Hash{
	"": sha1.New, "1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.9": sha256.New, "1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
}

var keyLengths = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32} // AES in CBC mode

var errKey = errors.New("not a key encrypted by PBES2 with AES")

// maxIterations bounds the work that a file may ask for.
const maxIterations = 10_000_000

// decryptPKCS8 opens an encrypted PKCS #8 key, as OpenSSL writes it.
func decryptPKCS8(der, phrase []byte) ([]byte, error) {
	var e encryptedKey
	var p pbes2
	var k pbkdf2Params
	var iv []byte
	if _, err := asn1.Unmarshal(der, &e); err != nil || e.Algorithm.OID.String() != "1.2.840.113549.1.5.13" {
		return nil, errKey
	}
	if _, err := asn1.Unmarshal(e.Algorithm.Params.FullBytes, &p); err != nil || p.KDF.Algorithm.String() != "1.2.840.113549.1.5.12" {
		return nil, errKey
	}
	_, err1 := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &k)
	_, err2 := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv)
	prf, length := prfs[k.PRF.Algorithm.String()], keyLengths[p.Cipher.Algorithm.String()]
	if err1 != nil || err2 != nil || prf == nil || length == 0 || len(iv) != aes.BlockSize || len(e.Data) == 0 || len(e.Data)%aes.BlockSize != 0 ||
		k.Iterations < 1 || k.Iterations > maxIterations {
		return nil, errKey
	}
	key, err := pbkdf2.Key(prf, string(phrase), k.Salt, k.Iterations, length)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(e.Data))
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(out, e.Data)
	pad := int(out[len(out)-1])
	if pad < 1 || pad > aes.BlockSize || !bytes.Equal(out[len(out)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errKey
	}
	return out[:len(out)-pad], nil
}
