package reqtimeout

import (
	"errors"
	"math"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// settings is what the main server or a virtual host says (httpd: mod_reqtimeout.c reqtimeout_srv_cfg).
type settings struct {
	handshake, header, body directive.Opt[exchange.ReadLimit]
}

var scopes = directive.NewKey[settings]("mod_reqtimeout", func(outer, inner settings) settings {
	return settings{inner.handshake.Over(outer.handshake), inner.header.Over(outer.header), inner.body.Over(outer.body)}
})

// Defaults of mod_reqtimeout when it is loaded; a handshake has none (httpd: mod_reqtimeout.c).
var (
	defaultHeader = exchange.ReadLimit{Timeout: 20 * time.Second, Max: 40 * time.Second, Rate: 500}
	defaultBody   = exchange.ReadLimit{Timeout: 20 * time.Second, Rate: 500}
)

// setReadTimeout takes handshake=…, header=… and body=… words, each a time, a range, and a rate.
func setReadTimeout(s *directive.Scope, a directive.Args) error {
	for _, word := range apacheconf.Words(a.Raw) {
		if !strings.Contains(word, "=") {
			return errors.New("Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'")
		}
		if err := setReadStage(scopes.In(s), word); err != nil {
			return errors.New("RequestReadTimeout: " + word + ": " + err.Error())
		}
	}
	return nil
}

func setReadStage(c *settings, word string) error {
	name, value, _ := strings.Cut(word, "=")
	stages := map[string]*directive.Opt[exchange.ReadLimit]{"header": &c.header, "body": &c.body, "handshake": &c.handshake}
	stage, known := stages[strings.ToLower(name)]
	if !known {
		return errors.New("Unknown RequestReadTimeout parameter")
	}
	l, err := readLimit(value)
	if err != nil {
		return err
	}
	stage.Set(l)
	return nil
}

// readLimit parses "20", "20-40,MinRate=500" or "20,MinRate=500" (httpd: mod_reqtimeout.c parse_cfg_param).
func readLimit(value string) (l exchange.ReadLimit, err error) {
	const minRate = ",minrate="
	rated := false
	if i := exchange.IndexFold(value, minRate); i >= 0 {
		rated = true
		if l.Rate, err = number(value[i+len(minRate):]); err != nil {
			return l, err
		}
		if l.Rate == 0 {
			return l, errors.New("Minimum data rate must be larger than 0")
		}
		value = value[:i]
	}
	low, high, ranged := strings.Cut(value, "-")
	if ranged && !rated {
		return l, errors.New("Must set MinRate option if using timeout range")
	}
	n, err := number(low)
	if err != nil {
		return l, err
	}
	l.Timeout = time.Duration(n) * time.Second
	if !ranged {
		return l, nil
	}
	m, err := number(high)
	if err != nil {
		return l, err
	}
	if m <= n {
		return l, errors.New("Maximum timeout must be larger than initial timeout")
	}
	l.Max = time.Duration(m) * time.Second
	return l, nil
}

// number reads a whole text as C's strtol does (httpd: mod_reqtimeout.c parse_int).
func number(text string) (int, error) {
	n, rest, err := directive.Leading(text)
	switch {
	case rest == text:
		return 0, errors.New("Value '" + text + "' not numerical")
	case rest != "":
		return 0, errors.New("Cannot parse '" + rest + "'")
	case err != nil || n < 0:
		return 0, errors.New("Value must be non-negative")
	}
	return int(min(n, mostSeconds)), nil
}

// mostSeconds is what fits in a time.Duration.
const mostSeconds = int64(math.MaxInt64 / time.Second)
