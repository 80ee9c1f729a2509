package apacheconf

import (
	"os"
	"slices"
	"strings"
)

// define notes a name, and a value when there is one: a name that is defined again without a value keeps
// the one it had. Values are found in any case of letters (httpd: core.c set_define).
func (r *reader) define(name, value string, hasValue bool) {
	if !r.names[name] {
		r.names[name] = true
		r.order = append(r.order, name)
	}
	if hasValue {
		r.values[strings.ToLower(name)] = value
	}
}

func (r *reader) undefine(name string) {
	if r.names[name] {
		delete(r.names, name)
		r.order = slices.DeleteFunc(r.order, func(n string) bool { return n == name })
	}
	delete(r.values, strings.ToLower(name))
}

// expand replaces each ${NAME} by the value of a Define or of the environment, once, from left to
// right. What is not known stays, with a warning unless it looks like a rewrite map
// (httpd: core.c ap_resolve_env).
func (r *reader) expand(line string, pos Pos) string {
	if !strings.Contains(line, "${") {
		return line
	}
	var b strings.Builder
	for {
		i := strings.Index(line, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(line[i:], '}')
		if end < 0 {
			break
		}
		name := line[i+2 : i+end]
		b.WriteString(line[:i])
		if v, ok := r.lookup(name); ok {
			b.WriteString(v)
		} else {
			if !strings.Contains(name, ":") {
				r.warn(pos, "AH00111: Config variable ${"+name+"} is not defined")
			}
			b.WriteString(line[i : i+end+1])
		}
		line = line[i+end+1:]
	}
	b.WriteString(line)
	return b.String()
}

func (r *reader) lookup(name string) (string, bool) {
	if v, ok := r.values[strings.ToLower(name)]; ok {
		return v, true
	}
	if r.o.Environ != nil {
		return r.o.Environ(name)
	}
	return os.LookupEnv(name)
}
