package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"balancerd/balancer"
)

// envelope is a line of a journal. Sum is of the record without its blanks, so that who edits it may lay it out as he likes,
// on its line.
type envelope struct {
	Sum    string          `json:"sum,omitempty"`
	Record json.RawMessage `json:"record"`
}

// The first lines of the journals.
const (
	settingsHead = `{"note":"settings of balancers, a line each, of which the last counts; who edits one takes its sum out","version":3}` + "\n"
	statesHead   = `{"note":"states of balancers' members at this node, a line each, of which the last counts","version":3}` + "\n"
)

// The ways a record is damaged; broken JSON is another.
var (
	errVersion = errors.New("unknown version")
	errSum     = errors.New("checksum differs: damaged, or edited with its sum left in")
	errRecord  = errors.New("no virtual host or balancer")
	errHead    = errors.New("no journal of this version")
	errCut     = errors.New("cut short, as by an end while it was written")
)

func encodeSettings(r balancer.SettingsRecord) ([]byte, error) { return encode(mapSettings(r, quote)) }

func encodeState(r balancer.StateRecord) ([]byte, error) { return encode(mapState(r, quote)) }

// encode is a line. Its JSON is compact, and that of the record the end of it.
func encode(r any) ([]byte, error) {
	record, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(record)+40)
	b = append(append(b, `{"sum":"`...), sum(record)...)
	b = append(append(b, `","record":`...), record...)
	return append(b, "}\n"...), nil
}

// decode takes the record out of a line.
func decode(text []byte, r any) error {
	if text[len(text)-1] != '\n' {
		return errCut
	}
	var l envelope
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, l.Record); err != nil {
		return err
	}
	if l.Sum != "" && l.Sum != sum(compact.Bytes()) {
		return errSum
	}
	return json.Unmarshal(compact.Bytes(), r)
}

func decodeSettingsLine(text []byte) (r balancer.SettingsRecord, err error) {
	if err = decode(text, &r); err == nil {
		r = mapSettings(r, unquote)
		err = named(r.VHost, r.Balancer)
	}
	return r, err
}

func decodeStateLine(text []byte) (r balancer.StateRecord, err error) {
	if err = decode(text, &r); err == nil {
		r = mapState(r, unquote)
		err = named(r.VHost, r.Balancer)
	}
	return r, err
}

func named(vhost, balancer string) error {
	if vhost == "" || balancer == "" {
		return errRecord
	}
	return nil
}

// sum is CRC-32C: it finds torn and decayed files, not forged ones.
func sum(text []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// mapSettings is r with f applied to the values that may hold any bytes.
func mapSettings(r balancer.SettingsRecord, f func(string) string) balancer.SettingsRecord {
	r.Settings = mapValues(r.Settings, f)
	r.Members = append([]balancer.MemberSettings(nil), r.Members...)
	for i := range r.Members {
		r.Members[i].Worker = f(r.Members[i].Worker)
		r.Members[i].Settings = mapValues(r.Members[i].Settings, f)
	}
	return r
}

// mapValues is m with f applied to its values; m itself where that changes nothing.
func mapValues(m map[string]string, f func(string) string) map[string]string {
	var c map[string]string
	for k, v := range m {
		if to := f(v); to != v {
			if c == nil {
				c = maps.Clone(m)
			}
			c[k] = to
		}
	}
	if c == nil {
		return m
	}
	return c
}

// mapState is r with f applied to the values that may hold any bytes.
func mapState(r balancer.StateRecord, f func(string) string) balancer.StateRecord {
	r.Members = append([]balancer.MemberState(nil), r.Members...)
	for i := range r.Members {
		r.Members[i].Worker = f(r.Members[i].Worker)
	}
	return r
}

// quote is s as it is if JSON can hold it, else in Go's quotes.
func quote(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, `"`) {
		return s
	}
	return strconv.Quote(s)
}

// unquote undoes quote.
func unquote(s string) string {
	if t, err := strconv.Unquote(s); err == nil && strings.HasPrefix(s, `"`) {
		return t
	}
	return s
}
