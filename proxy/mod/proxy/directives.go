package proxy

import (
	"context"
	"errors"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/upstream"
)

// setter is a directive's Set.
type setter = func(*directive.Scope, directive.Args) error

func dirFlag(field func(*dirSettings) *directive.Opt[bool]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		field(dirs.In(s)).Set(a.On)
		return nil
	}
}

func serverFlag(field func(*serverSettings) *directive.Opt[bool]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		field(servers.In(s)).Set(a.On)
		return nil
	}
}

var (
	viaModes    = []string{"off", "on", "full", "block"}
	headerModes = []string{"IsError", "Ignore", "StartBody"}
	statusModes = []string{"off", "on", "full"}
)

// serverWord is a directive that takes one of some words: the number of the word is the mode.
func serverWord[T ~uint8](name string, words []string, field func(*serverSettings) *directive.Opt[T]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		for i, w := range words {
			if strings.EqualFold(a.Words[0], w) {
				field(servers.In(s)).Set(T(i))
				return nil
			}
		}
		return errors.New(name + " must be one of: " + strings.Join(words, " | "))
	}
}

func setMaxForwards(s *directive.Scope, a directive.Args) error {
	servers.In(s).maxForwards.Set(int64(directive.Atoi(a.Words[0])))
	return nil
}

func setTimeout(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n < 1 {
		return errors.New("Proxy Timeout must be at least 1 second.")
	}
	servers.In(s).timeout.Set(time.Duration(n) * time.Second)
	return nil
}

func setIOBuffer(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n < 512 && n != 0 {
		return errors.New("ProxyIOBufferSize must be >= 512 bytes, or 0 for system default.")
	}
	if n == 0 {
		n = balancer.DefaultIOBufferSize
	}
	servers.In(s).ioBuffer.Set(n)
	return nil
}

func setReceiveBuffer(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n < 512 && n != 0 {
		return errors.New("ProxyReceiveBufferSize must be >= 512 bytes, or 0 for system default.")
	}
	servers.In(s).receiveBuffer.Set(n)
	return nil
}

func setGrowth(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n < 0 || n > 1000 {
		return errors.New("BalancerGrowth must be between 0 and 1000")
	}
	servers.In(s).growth.Set(n)
	return nil
}

func setPersist(s *directive.Scope, a directive.Args) error {
	servers.In(s).persist = a.On
	return nil
}

// setSourceAddress takes an address or a name that has one now.
func setSourceAddress(s *directive.Scope, a directive.Args) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupAtLoad)
	defer cancel()
	list := upstream.AddressesOf(ctx, a.Words[0])
	if len(list) == 0 {
		return errors.New("ProxySourceAddress invalid value")
	}
	servers.In(s).sourceAddress.Set(list[0])
	return nil
}

// setOverride is ProxyErrorOverride, called once a word: Off, On, or a status after On. Statuses may
// stand on a later line of the same section.
func setOverride(s *directive.Scope, a directive.Args) error {
	d, word := dirs.In(s), a.Words[0]
	on, set := d.override.Get()
	switch {
	case strings.EqualFold(word, "off"):
		d.override.Set(false)
		return nil
	case strings.EqualFold(word, "on"):
		d.override.Set(true)
		return nil
	case !set:
		return errors.New("ProxyErrorOverride first parameter must be one of: off | on")
	case word[0] < '0' || '9' < word[0]:
		return errors.New("ProxyErrorOverride: status codes to intercept must be numeric")
	case !on:
		return errors.New("ProxyErrorOverride: status codes must follow a value of 'on'")
	}
	code := directive.Atoi(word)
	if code < 400 || code > 599 {
		return errors.New("ProxyErrorOverride: status codes to intercept must be valid HTTP Status Codes >=400 && <600")
	}
	d.overrideCodes = append(d.overrideCodes, code)
	return nil
}

var (
	errReverseNoPath = errors.New("ProxyPassReverse needs a path when not defined in a location")
	errReversePath   = errors.New("ProxyPassReverse can not have a path when defined in a location")
)

// setReverse reads [path] url [interpolate]; in a section its argument is the path.
func setReverse(s *directive.Scope, a directive.Args) error {
	if err := a.Forbid(s, directive.Directory|directive.Files|directive.If|directive.Limit); err != nil {
		return err
	}
	d, w := dirs.In(s), a.Words
	if !inSection(s) {
		if len(w) < 2 || strings.EqualFold(w[1], "interpolate") {
			return errReverseNoPath
		}
		d.reverse.add(upstream.Rewrite{From: w[1], To: w[0], Interpolate: len(w) > 2})
		return nil
	}
	if len(w) > 1 && !strings.EqualFold(w[1], "interpolate") {
		return errReversePath
	}
	d.reverse.add(upstream.Rewrite{From: w[0], To: s.Arg, Interpolate: len(w) > 1})
	return nil
}

func setCookiePath(s *directive.Scope, a directive.Args) error {
	d := dirs.In(s)
	d.cookiePaths.add(upstream.Rewrite{From: a.Words[0], To: a.Words[1], Interpolate: len(a.Words) > 2})
	return nil
}

func setCookieDomain(s *directive.Scope, a directive.Args) error {
	d := dirs.In(s)
	d.cookieDomains.add(upstream.Rewrite{From: a.Words[0], To: a.Words[1], Interpolate: len(a.Words) > 2})
	return nil
}
