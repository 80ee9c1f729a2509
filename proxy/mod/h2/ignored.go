package h2

import (
	"errors"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// ignored are the directives of mod_http2 that have no effect here: there are no threads to tune, and nothing is pushed.
var ignored = directive.Table{
	{Name: "H2MaxWorkerIdleSeconds", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2StreamMaxMemSize", Ignored: &directive.Ignored{Check: directive.Between(1024, 1<<31-1, "value must be >= 1024"), Tuning: true}},
	{Name: "H2SerializeHeaders", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2SessionExtraFiles", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2TLSWarmUpSize", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2TLSCoolDownSecs", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2Push", Ignored: &directive.Ignored{Check: onOrOff}},
	{Name: "H2PushPriority", Ignored: &directive.Ignored{Check: checkPushPriority}},
	{Name: "H2PushDiarySize", Ignored: &directive.Ignored{Tuning: true}},
	{Name: "H2CopyFiles", Ignored: &directive.Ignored{Check: onOrOff, Tuning: true}},
	{Name: "H2OutputBuffering", Ignored: &directive.Ignored{Check: onOrOff, Tuning: true}},
}

var onOrOff = directive.OneOf("value must be On or Off", "on", "off")

func checkPushPriority(_ *directive.Scope, a directive.Args) error {
	if w := apacheconf.Words(a.Raw); len(w) > 1 && !directive.HasPrefix(w[1], "after", "before", "interleaved") {
		return errors.New("dependency must be one of 'After', 'Before' or 'Interleaved'")
	}
	return nil
}
