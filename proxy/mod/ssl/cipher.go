package ssl

import (
	"crypto/tls"
	"slices"
	"strconv"
	"strings"
)

// suite is a cipher suite of TLS 1.2 and older that crypto/tls has: its name in OpenSSL and the words
// of cipher lists that stand for it.
type suite struct {
	id    uint16
	name  string
	words string
	weak  bool // taken only by its name: crypto/tls has it without protection against timing
}

// suites are all that crypto/tls and OpenSSL 3 as built by default have in common: no RC4, no 3DES.
var suites = [...]suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", "ecdhe ecdsa aes aes256 aesgcm tlsv1.2 aead", false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", "ecdhe arsa aes aes256 aesgcm tlsv1.2 aead", false},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", "ecdhe ecdsa chacha20 tlsv1.2 aead", false},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", "ecdhe arsa chacha20 tlsv1.2 aead", false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", "ecdhe ecdsa aes aes128 aesgcm tlsv1.2 aead", false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", "ecdhe arsa aes aes128 aesgcm tlsv1.2 aead", false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", "ecdhe ecdsa aes aes128 sha256 tlsv1.2", true},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", "ecdhe arsa aes aes128 sha256 tlsv1.2", true},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", "ecdhe ecdsa aes aes256 sha1 tlsv1", false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", "ecdhe arsa aes aes256 sha1 tlsv1", false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", "ecdhe ecdsa aes aes128 sha1 tlsv1", false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", "ecdhe arsa aes aes128 sha1 tlsv1", false},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", "rsa arsa aes aes256 aesgcm tlsv1.2 aead", false},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", "rsa arsa aes aes128 aesgcm tlsv1.2 aead", false},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", "rsa arsa aes aes128 sha256 tlsv1.2", true},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", "rsa arsa aes aes256 sha1 sslv3", false},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", "rsa arsa aes aes128 sha1 sslv3", false},
}

// aliases are other names of the words; "" are words for suites that nobody here has
// (OpenSSL: ciphers(1)).
var aliases = map[string]string{
	"all": "*", "default": "*", "high": "*", "profile=system": "*",
	"krsa": "rsa", "kecdhe": "ecdhe", "keecdh": "ecdhe", "eecdh": "ecdhe", "ecdh": "ecdhe", "aecdsa": "ecdsa", "sha": "sha1", "tlsv1.0": "tlsv1",
	"complementofall": "", "complementofdefault": "", "medium": "", "low": "", "exp": "", "export": "", "export40": "", "export56": "", "anull": "", "enull": "", "null": "",
	"kedh": "", "edh": "", "dhe": "", "kdhe": "", "dh": "", "kdh": "", "kdhr": "", "kdhd": "", "adh": "", "aecdh": "", "adss": "", "dss": "", "adh-des-cbc3-sha": "",
	"3des": "", "des": "", "rc4": "", "rc2": "", "idea": "", "seed": "", "camellia": "", "camellia128": "", "camellia256": "", "aria": "", "aria128": "", "aria256": "", "ariagcm": "",
	"aesccm": "", "aesccm8": "", "md5": "", "sha384": "", "psk": "", "kpsk": "", "apsk": "", "kecdhepsk": "", "kdhepsk": "", "krsapsk": "", "srp": "", "ksrp": "", "asrp": "", "cbc": "",
	"gost": "", "gost94": "", "gost89mac": "", "agost": "", "kgost": "", "kecdh": "", "kecdhr": "", "kecdhe-ecdsa": "", "aecdh-null": "", "fips": "", "sslv2": "", "ssl": "", "idea-cbc-sha": "",
}

// cipherList is what a list of OpenSSL's comes to.
type cipherList struct {
	ids     []uint16
	level   int      // @SECLEVEL; 1 when it is not said, as OpenSSL 3 has it
	missing []string // suites asked for by a name that nobody here has
}

const defaultCiphers = "DEFAULT"

// parseCiphers reads a cipher list. The order is lost: crypto/tls has its own.
func parseCiphers(text string) cipherList {
	l := cipherList{level: 1}
	var on, killed [len(suites)]bool
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(":, ;", r) }) {
		if n, ok := strings.CutPrefix(strings.ToUpper(item), "@SECLEVEL="); ok {
			if v, err := strconv.Atoi(n); err == nil {
				l.level = v
			}
			continue
		}
		word := strings.TrimLeft(item[:1], "!-+@") + item[1:]
		match, known := selectSuites(word)
		if !known && word == item && strings.ContainsAny(word, "-_") && !strings.HasPrefix(word, "TLS_AES_") && !strings.HasPrefix(word, "TLS_CHACHA20_") {
			l.missing = append(l.missing, word)
		}
		for i := range suites {
			switch {
			case !match(&suites[i]):
			case item[0] == '!':
				on[i], killed[i] = false, true
			case item[0] == '-':
				on[i] = false
			case item[0] == '+', item[0] == '@', killed[i]:
			default:
				on[i] = true
			}
		}
	}
	l.ids = []uint16{}
	for i := range suites {
		if on[i] {
			l.ids = append(l.ids, suites[i].id)
		}
	}
	return l
}

// selectSuites is which suites an item stands for: one by its name, or those that have every one of
// the words that "+" joins.
func selectSuites(item string) (match func(*suite) bool, known bool) {
	for i := range suites {
		if strings.EqualFold(suites[i].name, item) || tls.CipherSuiteName(suites[i].id) == item {
			id := suites[i].id
			return func(s *suite) bool { return s.id == id }, true
		}
	}
	var need []string
	known = true
	for _, w := range strings.Split(strings.ToLower(item), "+") {
		a, isAlias := aliases[w]
		switch {
		case a == "*":
		case isAlias && a == "":
			need = append(need, "nobody")
		case isAlias:
			need = append(need, a)
		default:
			known = known && isWord(w)
			need = append(need, w)
		}
	}
	return func(s *suite) bool {
		have := strings.Fields(s.words)
		for _, w := range need {
			if !slices.Contains(have, w) {
				return false
			}
		}
		return !s.weak
	}, known
}

func isWord(w string) bool {
	for i := range suites {
		if slices.Contains(strings.Fields(suites[i].words), w) {
			return true
		}
	}
	return false
}

// suites13 are all of TLS 1.3 that crypto/tls has; which of them are used is not for us to choose.
var suites13 = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

// narrows13 reports whether a list for TLS 1.3 leaves out any that crypto/tls would use.
func narrows13(list string) bool {
	names := strings.Split(list, ":")
	for _, s := range suites13 {
		if !slices.Contains(names, s) {
			return true
		}
	}
	return false
}
