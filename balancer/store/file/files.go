package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"balancerd/balancer"
)

// Files of versions 1 and 2 held one balancer each: x.json its settings, and in version 1 its state; x.state, in
// version 2, its state. They are read, and become lines of the journals at the first save.
const (
	settingsSuffix = ".json"
	stateSuffix    = ".state"
	version2       = 2
)

// page is the content of such a file. Sum is of the record without its blanks.
type page struct {
	Version int             `json:"version"`
	Sum     string          `json:"sum"`
	Record  json.RawMessage `json:"record"`
}

// old is what the files of earlier versions hold.
type old struct {
	records []balancer.Record
	read    []string // their names
	damaged []string
	errs    []error
}

// readOld reads all files of earlier versions. One is told from a journal by its name: a virtual host's id and a
// balancer's name have a low line between them.
func readOld(d *os.Root) (o old, err error) {
	entries, err := fs.ReadDir(d.FS(), ".")
	if err != nil {
		return o, err
	}
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), settingsSuffix)
		if !is || !strings.Contains(name, "_") {
			continue
		}
		r, err := readFile(d, e.Name(), decodeSettings)
		o.note(e.Name(), err)
		if err != nil {
			continue
		}
		state, err := readFile(d, name+stateSuffix, decodeState)
		if !errors.Is(err, fs.ErrNotExist) {
			o.note(name+stateSuffix, err)
		}
		if err == nil {
			r.State = &state
		}
		o.records = append(o.records, r)
	}
	return o, nil
}

func (o *old) note(file string, err error) {
	if err != nil {
		o.damaged, o.errs = append(o.damaged, file), append(o.errs, err)
	} else {
		o.read = append(o.read, file)
	}
}

// putAway takes away what is in the journals now, and sets aside what was damaged.
func (o *old) putAway(d *os.Root) error {
	var errs []error
	for _, f := range o.read {
		errs = append(errs, remove(d, f))
	}
	for _, f := range o.damaged {
		errs = append(errs, d.Rename(f, f+damaged))
	}
	return errors.Join(errs...)
}

// readFile reads a file that decode understands.
func readFile[T any](d *os.Root, file string, decode func([]byte) (T, error)) (r T, err error) {
	text, err := d.ReadFile(file)
	if err != nil {
		return r, err
	}
	if r, err = decode(text); err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(d.Name(), file), err)
	}
	return r, nil
}

// decodeSettings reads a settings file. Of a file of version 1 it also returns the state.
func decodeSettings(text []byte) (r balancer.Record, err error) {
	v, record, err := open(text)
	switch {
	case err != nil:
		return r, err
	case v == 1:
		r, err = decodeVersion1(record)
	case v == version2:
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
	if v != version2 {
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
	if p.Version < 1 || p.Version > version2 {
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
