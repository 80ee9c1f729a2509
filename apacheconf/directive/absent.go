package directive

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
)

// Absent are the directives of modules that are not here for which more is to be said than that they have no effect. A
// module that comes has rows of its own for them, and these go: no directive has two.
func Absent() Table { return absent }

var absent = Table{
	{Name: "AllowMethods", Ignored: &Ignored{Closes: Always}},
	{Name: "RemoteIPProxyProtocol", Ignored: &Ignored{Closes: With("on")}},
	{Name: "DeflateFilterNote", Ignored: &Ignored{Check: checkDeflateNote}},
	{Name: "DeflateWindowSize", Ignored: &Ignored{Check: Between(1, 15, "DeflateWindowSize must be between 1 and 15")}},
	{Name: "DeflateBufferSize", Ignored: &Ignored{Check: Between(1, 1<<31-1, "DeflateBufferSize should be positive")}},
	{Name: "DeflateMemLevel", Ignored: &Ignored{Check: Between(1, 9, "DeflateMemLevel must be between 1 and 9")}},
	{Name: "DeflateCompressionLevel", Ignored: &Ignored{Check: Between(1, 9, "Compression Level must be between 1 and 9")}},
	{Name: "DeflateInflateLimitRequestBody", Ignored: &Ignored{Check: notNegative("DeflateInflateLimitRequestBody requires a non-negative integer.")}},
	{Name: "DeflateInflateRatioLimit", Ignored: &Ignored{Check: Between(1, 1<<31-1, "DeflateInflateRatioLimit must be positive")}},
	{Name: "DeflateInflateRatioBurst", Ignored: &Ignored{Check: Between(1, 1<<31-1, "DeflateInflateRatioBurst must be positive")}},
	{Name: "DeflateAlterEtag", Ignored: &Ignored{Check: OneOf("DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'", "nochange", "addsuffix", "remove")}},
	{Name: "ExpiresByType", Ignored: &Ignored{Check: checkExpires}},
	{Name: "ExpiresDefault", Ignored: &Ignored{Check: checkExpires}},
	{Name: "AuthDigestProvider", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestQop", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestAlgorithm", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthDigestDomain", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthFormProvider", Ignored: &Ignored{Closes: Always}},
	{Name: "AuthFormAuthoritative", Ignored: &Ignored{Closes: Always}},
	{Name: "Anonymous", Ignored: &Ignored{Closes: Always}},
	{Name: "Anonymous_MustGiveEmail", Ignored: &Ignored{Closes: With("on")}},
	{Name: "Anonymous_VerifyEmail", Ignored: &Ignored{Closes: With("on")}},
}

func checkDeflateNote(_ *Scope, a Args) error {
	if len(a.Words) < 2 {
		return nil
	}
	switch strings.ToLower(a.Words[0]) {
	case "ratio", "input", "output":
		return nil
	}
	return errors.New("Unknown note type " + a.Words[0])
}

func notNegative(message string) func(*Scope, Args) error {
	return func(_ *Scope, a Args) error {
		if n, err := strconv.ParseInt(a.Words[0], 10, 64); err != nil || n < 0 {
			return errors.New(message)
		}
		return nil
	}
}

// checkExpires takes "base [plus] {N unit}…"; a code that begins with A or M is not looked at
// (httpd: mod_expires.c check_code).
func checkExpires(_ *Scope, a Args) error {
	code := a.Words[len(a.Words)-1]
	if problem := expiresCode(code); problem != "" {
		return errors.New("'" + a.Name + " " + strings.Join(a.Words, " ") + "': bad expires code, " + problem)
	}
	return nil
}

func expiresCode(code string) (problem string) {
	if code != "" && (code[0] == 'A' || code[0] == 'M') {
		return ""
	}
	w := apacheconf.Words(code)
	if len(w) == 0 || !HasPrefix(w[0], "n", "a", "m") {
		first, _ := apacheconf.Word(code)
		return "unrecognised <base> '" + first + "'"
	}
	if w = w[1:]; len(w) > 0 && HasPrefix(w[0], "p") {
		w = w[1:]
	}
	for ; len(w) > 0 && w[0] != ""; w = w[2:] {
		switch {
		case w[0][0] < '0' || w[0][0] > '9':
			return "numeric value expected <num> '" + w[0] + "'"
		case len(w) == 1 || w[1] == "":
			return "missing <type>"
		case !HasPrefix(w[1], "y", "mo", "w", "d", "h", "mi", "s"):
			return "unrecognised <type>'" + w[1] + "'"
		}
	}
	return ""
}
