package ssl

import (
	"crypto/tls"
	"errors"
	"strings"

	"balancerd/apacheconf"
)

// versions is a set of protocol versions, a bit each.
type versions uint8

const (
	tls10 versions = 1 << iota
	tls11
	tls12
	tls13

	allVersions = tls10 | tls11 | tls12 | tls13
	oldVersions = tls10 | tls11
)

var versionWords = map[string]versions{"tlsv1": tls10, "tlsv1.1": tls11, "tlsv1.2": tls12, "tlsv1.3": tls13, "all": allVersions}

var versionNumbers = [...]struct {
	bit    versions
	number uint16
}{{tls10, tls.VersionTLS10}, {tls11, tls.VersionTLS11}, {tls12, tls.VersionTLS12}, {tls13, tls.VersionTLS13}}

// parseVersions reads SSLProtocol's words. overrides are those that threw away what stood before them
// (httpd: ssl_engine_config.c ssl_cmd_protocol_parse).
func parseVersions(name, raw string) (v versions, overrides []string, err error) {
	for _, w := range apacheconf.Words(raw) {
		word := strings.TrimLeft(w[:min(1, len(w))], "+-") + w[min(1, len(w)):]
		signed := word != w
		minus := signed && w[0] == '-'
		bits, known := versionWords[strings.ToLower(word)]
		switch low := strings.ToLower(word); {
		case minus && (low == "sslv2" || low == "sslv3"):
			continue
		case low == "sslv2":
			return 0, nil, errors.New("SSLProtocol: SSLv2 is no longer supported")
		case low == "sslv3":
			return 0, nil, errors.New("SSLv3 not supported by this version of OpenSSL")
		case !known:
			return 0, nil, errors.New(name + ": Illegal protocol '" + word + "'")
		case minus:
			v &^= bits
		case signed:
			v |= bits
		default:
			if v != 0 {
				overrides = append(overrides, word)
			}
			v = bits
		}
	}
	return v, overrides, nil
}

// usable leaves out what OpenSSL 3 speaks at security level 0 alone, and all that is older than a version
// that is missing (httpd: ssl_engine_init.c ssl_init_ctx_protocol).
func (v versions) usable(level int) versions {
	if level > 0 {
		v &^= oldVersions
	}
	var out versions
	for i := len(versionNumbers) - 1; i >= 0; i-- {
		bit := versionNumbers[i].bit
		if v&bit == 0 && out != 0 {
			break
		}
		out |= v & bit
	}
	return out
}

// noUsableVersion warns of a setting with which httpd starts, too.
func noUsableVersion(name string) string {
	return name + ": of the versions that are named none is spoken at this security level: every handshake fails"
}

// bounds are the oldest and newest version of the set, as tls.Config has them. The empty one's let no handshake succeed.
func (v versions) bounds() (oldest, newest uint16) {
	if v == 0 {
		return tls.VersionTLS13 + 1, 0
	}
	for _, n := range versionNumbers {
		if v&n.bit == 0 {
			continue
		}
		if oldest == 0 {
			oldest = n.number
		}
		newest = n.number
	}
	return oldest, newest
}

// has reports whether a version is in the set.
func (v versions) has(number uint16) bool {
	for _, n := range versionNumbers {
		if n.number == number {
			return v&n.bit != 0
		}
	}
	return false
}

// best is the newest version that both the set and the other side have; 0 for none.
func (v versions) best(offered []uint16) (best uint16) {
	for _, o := range offered {
		if v.has(o) && o > best {
			best = o
		}
	}
	return best
}
