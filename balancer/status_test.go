package balancer

import "testing"

func TestStatusTable(t *testing.T) {
	for _, c := range []struct {
		letter byte
		bit    Status
		text   string
		usable bool // together with Init
		form   bool
	}{
		{'O', 0x0001, "Init Ok ", true, false},
		{'I', 0x0002, "Init Ign Ok ", true, true},
		{'N', 0x0004, "Init Drn Ok ", true, true},
		{'G', 0x0008, "Init Gen Ok ", true, false},
		{'U', 0x0010, "Init Shut ", false, false},
		{'D', 0x0020, "Init Dis ", false, true},
		{'S', 0x0040, "Init Stop ", false, true},
		{'E', 0x0080, "Init Err ", false, false},
		{'H', 0x0100, "Init Stby Ok ", true, true},
		{'R', 0x0800, "Init Spar Ok ", true, true},
		{'F', 0x0200, "Init Free Ok ", true, false},
		{'C', 0x0400, "Init HcFl ", false, true},
	} {
		s, err := ParseStatus("+"+string(c.letter), Init)
		if err != nil || s != Init|c.bit {
			t.Errorf("%c: %#x, %v", c.letter, s, err)
		}
		if lower, _ := ParseStatus(string(c.letter|0x20), Init); lower != s {
			t.Errorf("%c in lower case: %#x", c.letter, lower)
		}
		if s.String() != c.text || s.Usable() != c.usable {
			t.Errorf("%c: %q usable %v, want %q %v", c.letter, s, s.Usable(), c.text, c.usable)
		}
		if got := labelOf(c.bit) != ""; got != c.form {
			t.Errorf("%c can be edited: %v, want %v", c.letter, got, c.form)
		}
	}
}

func TestStatusText(t *testing.T) {
	for s, want := range map[Status]string{
		0:                       "??? ",
		Disabled:                "Dis ",
		Init | InError | Spare:  "Init Err Spar ",
		Init | 0xffe:            "Init Ign Drn Gen Shut Dis Stop Err Stby Spar Free HcFl ",
		Init | Draining | Spare: "Init Drn Spar Ok ",
		Standby:                 "Stby ",
	} {
		if got := s.String(); got != want {
			t.Errorf("%#x: %q, want %q", uint32(s), got, want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	for _, c := range []struct {
		text string
		base Status
		want Status
		ok   bool
	}{
		{"", Init, Init, true},
		{"D", 0, Disabled, true},
		{"+D", 0, Disabled, true},
		{"dh", 0, Disabled | Standby, true},
		{"+H-D", Disabled, Standby, true},
		{"-E", InError | Init, Init, true},
		{"+DI", 0, Disabled | IgnoreErrors, true},
		{"-DI", Disabled | IgnoreErrors, 0, true},
		{"ISGUOFNCER", 0, Disabled ^ 0xfff ^ Standby, true},
		{"X", 0, 0, false},
		{"+", 0, 0, false},
		{"D+", 0, Disabled, false},
		{"++D", 0, 0, false},
		{"D ", 0, Disabled, false},
		{"D\x04", 0, Disabled, false}, // 0x04|0x20 is no letter
	} {
		got, err := ParseStatus(c.text, c.base)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q on %#x: %#x %v, want %#x", c.text, c.base, got, err, c.want)
		}
		if err != nil && err.Error() != "Unknown status parameter option" {
			t.Error(err)
		}
	}
}

func TestLettersReadBack(t *testing.T) {
	for s := Status(0); s < 0x1000; s++ {
		if back, err := ParseStatus(s.Letters(), 0); err != nil || back != s {
			t.Fatalf("%#x: %q gives %#x, %v", s, s.Letters(), back, err)
		}
	}
}
