package scgi

import "balancerd/proxy/exchange"

// Settings is what the sections in force say of SCGI members. Immutable.
type Settings struct {
	Sendfile string // ProxySCGISendfile: the field that names a file; "" for none
	Redirect string // ProxySCGIInternalRedirect: the field that names a path; "" for none
}

// Default is where nothing is said.
var Default = Settings{Redirect: "Location"}

// Chosen is the settings of one request, which are in its exchange's State.
type Chosen struct {
	*Settings
	PathInfo bool // proxy-scgi-pathinfo: all of the member's path is PATH_INFO
}

func of(x *exchange.Exchange) (s *Settings, pathInfo bool) {
	switch s := x.State[exchange.StateSCGI].(type) {
	case *Settings:
		return s, false
	case *Chosen:
		return s.Settings, s.PathInfo
	}
	return &Default, false
}
