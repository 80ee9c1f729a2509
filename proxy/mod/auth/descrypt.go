package auth

// desCrypt is the password hash of old Unix systems: two characters of salt, then a block of zeros
// encrypted 25 times by DES with the password as key; the salt swaps bits of the expansion
// (FIPS 46-3 for DES; crypt(3)). "" when the salt is none.
func desCrypt(password, salt string) string {
	if len(salt) < 2 || radix64(salt[0]) < 0 || radix64(salt[1]) < 0 {
		return ""
	}
	keys := desKeys(password)
	mask := uint32(radix64(salt[0]) | radix64(salt[1])<<6)
	l, r := uint32(0), uint32(0)
	for range 25 {
		for i := range keys {
			l, r = r, l^desRound(r, keys[i], mask)
		}
		l, r = r, l
	}
	return salt[:2] + desText(desPermute(uint64(l)<<32|uint64(r), 64, desFinal[:]))
}

const radix64Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// radix64 is the value of a salt's character, -1 for any other.
func radix64(c byte) int {
	switch {
	case '.' <= c && c <= '9':
		return int(c - '.')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 12
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 38
	}
	return -1
}

// desText is 64 bits as eleven characters, the first bits first.
func desText(block uint64) string {
	var out [11]byte
	for i := range 10 {
		out[i] = radix64Digits[block>>(58-6*i)&63]
	}
	out[10] = radix64Digits[block<<2&63]
	return string(out[:])
}

// desPermute picks bits of a width-bit value: table entries count from 1 at the left.
func desPermute(v uint64, width int, table []byte) uint64 {
	out := uint64(0)
	for _, from := range table {
		out = out<<1 | v>>(width-int(from))&1
	}
	return out
}

// desKeys are the sixteen 48-bit round keys of a password: seven bits of each of its first eight
// characters.
func desKeys(password string) [16]uint64 {
	key := uint64(0)
	for i := range 8 {
		key <<= 8
		if i < len(password) { // a shorter key is filled with zeros
			key |= uint64(password[i]) << 1 & 0xff
		}
	}
	cd := desPermute(key, 64, desChoice1[:])
	c, d := uint32(cd>>28), uint32(cd&0xfffffff)
	var out [16]uint64
	for i, n := range desShifts {
		c, d = rotate28(c, n), rotate28(d, n)
		out[i] = desPermute(uint64(c)<<28|uint64(d), 56, desChoice2[:])
	}
	return out
}

func rotate28(v uint32, n byte) uint32 { return (v<<n | v>>(28-n)) & 0xfffffff }

// desRound is DES's function f, with the salt's bits swapping the halves of the expansion.
func desRound(r uint32, key uint64, salt uint32) uint32 {
	e := desPermute(uint64(r), 32, desExpand[:])
	high, low := uint32(e>>24), uint32(e&0xffffff)
	swap := (high ^ low) & desSaltMask(salt)
	e = uint64(high^swap)<<24 | uint64(low^swap)
	e ^= key
	out := uint32(0)
	for i := range 8 {
		six := byte(e >> (42 - 6*i) & 63)
		out = out<<4 | uint32(desBoxes[i][six>>5<<1|six&1][six>>1&15])
	}
	return uint32(desPermute(uint64(out), 32, desMix[:]))
}

// desSaltMask turns the salt round: its lowest bit stands for the leftmost bit of the expansion.
func desSaltMask(salt uint32) uint32 {
	out := uint32(0)
	for i := range 12 {
		out |= salt >> i & 1 << (23 - i)
	}
	return out
}
