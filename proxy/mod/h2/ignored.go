package h2

import (
	"errors"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// ignored are the directives of mod_http2 that have no effect here: there are no threads to tune, and nothing is pushed.
var ignored = directive.Table{
	{Name: "H2MaxWorkerIdleSeconds", Ignored: &directive.Ignored{Check: checkIdleLimit, Tuning: true}},
	{Name: "H2StreamMaxMemSize", Ignored: &directive.Ignored{Check: directive.Between(1024, 1<<31-1, "value must be >= 1024"), Tuning: true}},
	{Name: "H2SerializeHeaders", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2SessionExtraFiles", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2TLSWarmUpSize", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2TLSCoolDownSecs", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2Push", Ignored: &directive.Ignored{Check: onOrOff}},
	{Name: "H2PushPriority", Ignored: &directive.Ignored{Check: checkPushPriority}},
	{Name: "H2PushDiarySize", Ignored: &directive.Ignored{Check: checkDiarySize, Tuning: true}},
	{Name: "H2ProxyRequests", Ignored: &directive.Ignored{Check: onOrOff}},
	{Name: "H2CopyFiles", Ignored: &directive.Ignored{Check: onOrOff, Tuning: true}},
	{Name: "H2OutputBuffering", Ignored: &directive.Ignored{Check: onOrOff, Tuning: true}},
}

var onOrOff = directive.OneOf("value must be On or Off", "on", "off")

// checkPushPriority looks at what follows the media type: how a push depends on its request, and its weight
// (httpd: h2_config.c h2_conf_add_push_priority).
func checkPushPriority(_ *directive.Scope, a directive.Args) error {
	w := apacheconf.Words(a.Raw)
	if len(w) < 2 {
		return nil
	}
	weight := ""
	if len(w) > 2 {
		weight = w[2]
	}
	switch strings.ToLower(w[1]) {
	case "before":
		if weight != "" {
			return errors.New("dependency 'Before' does not allow a weight")
		}
	case "after", "interleaved":
		if weight != "" && directive.Atoi(weight) < 1 {
			return errors.New("weight must be a number >= 1")
		}
	default:
		return errors.New("dependency must be one of 'After', 'Before' or 'Interleaved'")
	}
	return nil
}

func checkDiarySize(_ *directive.Scope, a directive.Args) error {
	switch n := int(int32(directive.Atoi(a.Words[0]))); {
	case n < 0:
		return errors.New("value must be >= 0")
	case n&(n-1) != 0:
		return errors.New("value must a power of 2")
	case n >= 1<<16:
		return errors.New("value must <= 65536")
	}
	return nil
}

func checkIdleLimit(_ *directive.Scope, a directive.Args) error {
	if _, err := directive.Duration(a.Words[0], time.Second); err != nil {
		return errors.New("Invalid idle limit value")
	}
	return nil
}
