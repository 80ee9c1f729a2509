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

// version is of the file's format; an unknown one is not read.
const version = 1

// page is the file's content. Sum is of the record without its blanks, so that a reader can indent
// it as he likes.
type page struct {
	Note    string          `json:"note"`
	Version int             `json:"version"`
	Sum     string          `json:"sum"`
	Record  json.RawMessage `json:"record"`
}

const note = `state of a balancer; who edits it takes "sum" out`

// The ways a file is damaged; broken JSON is another.
var (
	errVersion = errors.New("unknown version")
	errSum     = errors.New("checksum differs: damaged, or edited with its sum left in")
	errRecord  = errors.New("no virtual host or balancer")
)

func encode(r balancer.Record) ([]byte, error) {
	record, err := json.Marshal(texts(r, quote))
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(page{note, version, sum(record), record}, "", "  ")
	return append(text, '\n'), err
}

func decode(text []byte) (balancer.Record, error) {
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		return balancer.Record{}, err
	}
	if p.Version != version {
		return balancer.Record{}, fmt.Errorf("%w %d", errVersion, p.Version)
	}
	var record bytes.Buffer
	if err := json.Compact(&record, p.Record); err != nil {
		return balancer.Record{}, err
	}
	if p.Sum != "" && p.Sum != sum(record.Bytes()) {
		return balancer.Record{}, errSum
	}
	var r balancer.Record
	if err := json.Unmarshal(record.Bytes(), &r); err != nil {
		return r, err
	}
	if r.VHost == "" || r.Balancer == "" {
		return r, errRecord
	}
	return texts(r, unquote), nil
}

// sum is CRC-32C: it finds torn and decayed files, not forged ones.
func sum(text []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// texts is r with f applied to the values that may hold any bytes.
func texts(r balancer.Record, f func(string) string) balancer.Record {
	values := func(m map[string]string) map[string]string {
		c := make(map[string]string, len(m))
		for k, v := range m {
			c[k] = f(v)
		}
		return c
	}
	r.Settings = values(r.Settings)
	r.Members = append([]balancer.MemberRecord(nil), r.Members...)
	for i := range r.Members {
		r.Members[i].Worker = f(r.Members[i].Worker)
		r.Members[i].Settings = values(r.Members[i].Settings)
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
