package balancer

import (
	"errors"
	"strings"
)

// Status is the set of conditions a worker is in (httpd: mod_proxy.h PROXY_WORKER_*).
type Status uint32

// The conditions. Draining, Standby, Spare and IgnoreErrors leave a worker usable.
const (
	Init         Status = 0x0001 // part of a running configuration
	IgnoreErrors Status = 0x0002 // never put into error
	Draining     Status = 0x0004 // only requests that name its route
	Generic      Status = 0x0008 // the catch-all of plain proxying
	Shutdown     Status = 0x0010 // being shut down; nothing sets it but status=+U
	Disabled     Status = 0x0020 // by the administrator
	Stopped      Status = 0x0040 // by the administrator; neither retried nor health-checked
	InError      Status = 0x0080 // until retry= has passed
	Standby      Status = 0x0100 // when no other member of its set is usable
	Free         Status = 0x0200 // an unused slot
	CheckFailed  Status = 0x0400 // the health check failed
	Spare        Status = 0x0800 // takes the place of one unusable member of its set

	unusable = Shutdown | Disabled | Stopped | InError | CheckFailed
)

// Flag is one line of the status table.
type Flag struct {
	Bit    Status
	Letter byte   // of status= and of w_status_X
	Text   string // in the status column, with its blank
	Label  string // in the manager's form; "" for what it can't change
}

// statuses is the table of conditions, in the order of the status column (httpd: mod_proxy.c
// proxy_wstat_tbl).
var statuses = [...]Flag{
	{Init, 'O', "Init ", ""},
	{IgnoreErrors, 'I', "Ign ", "Ignore Errors"},
	{Draining, 'N', "Drn ", "Draining Mode"},
	{Generic, 'G', "Gen ", ""},
	{Shutdown, 'U', "Shut ", ""},
	{Disabled, 'D', "Dis ", "Disabled"},
	{Stopped, 'S', "Stop ", "Stopped"},
	{InError, 'E', "Err ", ""},
	{Standby, 'H', "Stby ", "Hot Standby"},
	{Spare, 'R', "Spar ", "Hot Spare"},
	{Free, 'F', "Free ", ""},
	{CheckFailed, 'C', "HcFl ", "HC Fail"},
}

// Usable reports whether requests may be sent to a worker in this status.
func (s Status) Usable() bool { return s&(unusable|Init) == Init }

// usual is the text of the status that most workers are in.
var usual = Init.text()

// String is the manager's status column: "Init Ok ", "Init Err ", "??? ".
func (s Status) String() string {
	if s == Init {
		return usual
	}
	return s.text()
}

func (s Status) text() string {
	var b strings.Builder
	for _, f := range statuses {
		if s&f.Bit != 0 {
			b.WriteString(f.Text)
		}
	}
	if b.Len() == 0 {
		b.WriteString("??? ")
	}
	if s.Usable() {
		b.WriteString("Ok ")
	}
	return b.String()
}

// Letters is the status as status= takes it: "ODN", "" for none.
func (s Status) Letters() string {
	var b []byte
	for _, f := range statuses {
		if s&f.Bit != 0 {
			b = append(b, f.Letter)
		}
	}
	return string(b)
}

var errStatus = errors.New("Unknown status parameter option")

// ParseStatus is base changed by the letters of status=: "+H-D", "dh". A sign holds for the letters
// after it and must be followed by one (httpd: mod_proxy.c set_worker_param). On an error base is
// returned with what was read before it, as httpd leaves it.
func ParseStatus(text string, base Status) (Status, error) {
	set := true
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '+' || c == '-' {
			set = c == '+'
			if i++; i == len(text) {
				return base, errStatus
			}
		}
		bit := bitOf(text[i])
		if bit == 0 {
			return base, errStatus
		}
		base = base.with(bit, set)
	}
	return base, nil
}

// bitOf finds a condition by its letter, any case; 0 for none.
func bitOf(letter byte) Status {
	for _, f := range statuses {
		if letter|0x20 == f.Letter|0x20 && letter >= 'A' {
			return f.Bit
		}
	}
	return 0
}

func (s Status) with(bit Status, on bool) Status {
	if on {
		return s | bit
	}
	return s &^ bit
}
