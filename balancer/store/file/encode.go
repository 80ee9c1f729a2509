package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode/utf8"

	"balancerd/balancer"
)

// version is of the files' format. Version 1 had settings and state in one file; see version1.go. Other
// versions are not read.
const version = 2

// page is a file's content. Sum is of the record without its blanks, so that a reader can indent
// it as he likes.
type page struct {
	Note    string          `json:"note"`
	Version int             `json:"version"`
	Sum     string          `json:"sum"`
	Record  json.RawMessage `json:"record"`
}

// The notes at the head of the files.
const (
	settingsNote = `settings of a balancer; who edits it takes "sum" out`
	stateNote    = `state of a balancer's members at this node; who edits it takes "sum" out`
)

// The ways a file is damaged; broken JSON is another.
var (
	errVersion = errors.New("unknown version")
	errSum     = errors.New("checksum differs: damaged, or edited with its sum left in")
	errRecord  = errors.New("no virtual host or balancer")
)

func encodeSettings(r balancer.SettingsRecord) ([]byte, error) {
	return encode(settingsNote, mapSettings(r, quote))
}

func encodeState(r balancer.StateRecord) ([]byte, error) {
	return encode(stateNote, mapState(r, quote))
}

func encode(note string, r any) ([]byte, error) {
	record, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(page{note, version, sum(record), record}, "", "  ")
	return append(text, '\n'), err
}

// decodeSettings reads a settings file. Of a file of version 1 it also returns the state.
func decodeSettings(text []byte) (r balancer.Record, err error) {
	v, record, err := open(text)
	switch {
	case err != nil:
		return r, err
	case v == 1:
		r, err = decodeVersion1(record)
	case v == version:
		err = json.Unmarshal(record, &r.Settings)
		r.Settings = mapSettings(r.Settings, unquote)
	default:
		return r, fmt.Errorf("%w %d", errVersion, v)
	}
	if err != nil {
		return r, err
	}
	return r, named(r.Settings.VHost, r.Settings.Balancer)
}

func decodeState(text []byte) (r balancer.StateRecord, err error) {
	v, record, err := open(text)
	if err != nil {
		return r, err
	}
	if v != version {
		return r, fmt.Errorf("%w %d", errVersion, v)
	}
	if err := json.Unmarshal(record, &r); err != nil {
		return r, err
	}
	return mapState(r, unquote), named(r.VHost, r.Balancer)
}

// open takes the record out of a file, without its blanks, and checks its sum.
func open(text []byte) (v int, record []byte, err error) {
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		return 0, nil, err
	}
	if p.Version < 1 || p.Version > version {
		return 0, nil, fmt.Errorf("%w %d", errVersion, p.Version)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, p.Record); err != nil {
		return 0, nil, err
	}
	if p.Sum != "" && p.Sum != sum(compact.Bytes()) {
		return 0, nil, errSum
	}
	return p.Version, compact.Bytes(), nil
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
	values := func(m map[string]string) map[string]string {
		c := make(map[string]string, len(m))
		for k, v := range m {
			c[k] = f(v)
		}
		return c
	}
	r.Settings = values(r.Settings)
	r.Members = append([]balancer.MemberSettings(nil), r.Members...)
	for i := range r.Members {
		r.Members[i].Worker = f(r.Members[i].Worker)
		r.Members[i].Settings = values(r.Members[i].Settings)
	}
	return r
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
