package reqtimeout

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// settings is what the main server or a virtual host says (httpd: mod_reqtimeout.c reqtimeout_srv_cfg).
type settings struct {
	header, body directive.Opt[exchange.ReadLimit]
}

var scopes = directive.NewKey[settings]("mod_reqtimeout", func(outer, inner settings) settings {
	return settings{inner.header.Over(outer.header), inner.body.Over(outer.body)}
})

// Defaults of mod_reqtimeout when it is loaded (httpd: mod_reqtimeout.c).
var (
	defaultHeader = exchange.ReadLimit{Timeout: 20 * time.Second, Max: 40 * time.Second, Rate: 500}
	defaultBody   = exchange.ReadLimit{Timeout: 20 * time.Second, Rate: 500}
)

// setReadTimeout takes header=… and body=… words, each a time, a range, and a rate.
func setReadTimeout(s *directive.Scope, a directive.Args) error {
	for _, word := range apacheconf.Words(a.Raw) {
		if err := setReadStage(scopes.In(s), word); err != nil {
			return errors.New("RequestReadTimeout: " + word + ": " + err.Error())
		}
	}
	return nil
}

func setReadStage(c *settings, word string) error {
	name, value, ok := strings.Cut(word, "=")
	if !ok {
		return errors.New("Invalid RequestReadTimeout parameter")
	}
	stages := map[string]*directive.Opt[exchange.ReadLimit]{"header": &c.header, "body": &c.body, "handshake": nil}
	stage, known := stages[strings.ToLower(name)]
	if !known {
		return errors.New("Unknown RequestReadTimeout parameter")
	}
	l, err := readLimit(value)
	if err != nil {
		return err
	}
	if stage != nil {
		stage.Set(l)
	}
	return nil
}

// readLimit parses "20", "20-40,MinRate=500" or "20,MinRate=500".
func readLimit(value string) (exchange.ReadLimit, error) {
	var l exchange.ReadLimit
	span, rate, rated := strings.Cut(value, ",")
	low, high, ranged := strings.Cut(span, "-")
	n, err := strconv.Atoi(low)
	if err != nil {
		return l, errors.New("Value '" + low + "' not numerical")
	}
	l.Timeout = time.Duration(n) * time.Second
	if ranged {
		m, err := strconv.Atoi(high)
		if err != nil {
			return l, errors.New("Value '" + high + "' not numerical")
		}
		if !rated {
			return l, errors.New("Must set MinRate option if using timeout range")
		}
		if m <= n {
			return l, errors.New("Maximum timeout must be larger than initial timeout")
		}
		l.Max = time.Duration(m) * time.Second
	}
	if !rated {
		return l, nil
	}
	name, digits, _ := strings.Cut(rate, "=")
	if !strings.EqualFold(name, "MinRate") {
		return l, errors.New("Unknown RequestReadTimeout parameter")
	}
	r, err := strconv.Atoi(digits)
	if err != nil {
		return l, errors.New("Value '" + digits + "' not numerical")
	}
	if r <= 0 {
		return l, errors.New("Minimum data rate must be larger than 0")
	}
	l.Rate = r
	return l, nil
}
