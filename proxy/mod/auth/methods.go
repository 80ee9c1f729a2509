package auth

import "slices"

// methods is a set of request methods, or the complement of one: what <Limit> and <LimitExcept> make
// of a directive. The zero value is no method. HEAD is GET everywhere (httpd: http_protocol.c
// ap_method_registry_init).
type methods struct {
	except bool
	names  []string // sorted
}

// every is all methods, known or not.
var every = methods{except: true}

func methodName(m string) string {
	if m == "HEAD" {
		return "GET"
	}
	return m
}

// newMethods is the set of some names, or of all others.
func newMethods(except bool, names ...string) methods {
	m := methods{except: except}
	for _, n := range names {
		m.names = append(m.names, methodName(n))
	}
	slices.Sort(m.names)
	m.names = slices.Compact(m.names)
	return m
}

// has reports whether a method as received is in the set.
func (m methods) has(method string) bool {
	if len(m.names) == 0 {
		return m.except
	}
	_, found := slices.BinarySearch(m.names, methodName(method))
	return found != m.except
}

// all reports whether no method is left out.
func (m methods) all() bool { return m.except && len(m.names) == 0 }

// with is the union of two sets.
func (m methods) with(o methods) methods {
	switch {
	case m.except && o.except:
		return newMethods(true, keep(m.names, func(n string) bool { return slices.Contains(o.names, n) })...)
	case m.except:
		return newMethods(true, keep(m.names, func(n string) bool { return !slices.Contains(o.names, n) })...)
	case o.except:
		return o.with(m)
	}
	return newMethods(false, append(slices.Clone(m.names), o.names...)...)
}

func keep(names []string, when func(string) bool) []string {
	var out []string
	for _, n := range names {
		if when(n) {
			out = append(out, n)
		}
	}
	return out
}

// knownMethods are those that httpd has a number for.
var knownMethods = []string{"GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL",
	"COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT",
	"MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE"}
