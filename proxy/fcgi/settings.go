package fcgi

import (
	"balancerd/proxy/exchange"
)

// Settings is what the sections in force say of FastCGI members. Immutable; the zero value is the default.
type Settings struct {
	Generic bool // ProxyFCGIBackendType GENERIC: not PHP-FPM, which makes its own sense of SCRIPT_FILENAME
	// Edit changes the variables of a request (ProxyFCGISetEnvIf); nil: nothing. The error is a Status.
	Edit func(*exchange.Exchange) error
}

// Chosen is the settings of one request, which are in its exchange's State.
type Chosen struct {
	*Settings
	PathInfo string // proxy-fcgi-pathinfo; "" for none
}

var none Settings

// Of is what the sections say of an exchange's member.
func Of(x *exchange.Exchange) (s *Settings, pathInfo string) {
	switch s := x.State[exchange.StateFCGI].(type) {
	case *Settings:
		return s, ""
	case *Chosen:
		return s.Settings, s.PathInfo
	}
	return &none, ""
}
