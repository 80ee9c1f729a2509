package proxy

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/mod/core"
)

// TestSyntax holds what is refused, and with which words, against httpd.
func TestSyntax(t *testing.T) {
	text, err := os.ReadFile("testdata/syntax.txt")
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{ // httpd takes these and uses the rest of a division by 65536
		"ProxyPass / http://h:99999/": "ProxyPass Unable to parse URL: http://h:99999/",
	}
	blocks := strings.Split(strings.TrimRight(string(text), "\n"), "\n\n")
	for conf, message := range ports {
		blocks = append(blocks, conf+"\n=> line 1: "+message)
	}
	for _, block := range blocks {
		conf, want, _ := strings.Cut(block, "\n=> ")
		if got := said(conf); got != "=> "+want {
			t.Errorf("%s\ngot  %s\nwant => %s", conf, got, want)
		}
	}
}

// said is what binding says of a configuration, in the form of syntax.txt.
func said(conf string) string {
	c, err := bind("# 1\n"+conf+"\n", core.Module(), Module(balancer.NewFarm(method.Builtin(nil), nil), nil), HealthModule())
	if c == nil {
		return err.Error()
	}
	var out []string
	for _, w := range c.Warnings {
		if w.Module == "proxy" {
			out = append(out, "=> warn "+w.Msg)
		}
	}
	var e *apacheconf.Error
	switch {
	case errors.As(err, &e):
		msg, _, _ := strings.Cut(e.Msg, "\nhint: ") // what httpd does not say
		out = append(out, fmt.Sprintf("=> line %d: %s", e.Pos.Line-linesInFront(), msg))
	case err != nil:
		out = append(out, err.Error())
	default:
		out = append(out, "=> ok")
	}
	return strings.Join(out, "\n")
}

// linesInFront is how many lines bind puts in front of a configuration, and said's comment.
func linesInFront() int { return len(strings.Fields(preload)) + 3 }
