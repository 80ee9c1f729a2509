package directive

// Absent are the directives of modules that are not here for which more is to be said than that they have no effect. A
// module that comes has rows of its own for them, and these go: no directive has two.
func Absent() Table { return absent }

var absent = Table{
	{Name: "AllowMethods", Ignored: &Ignored{Closes: Always}},
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
