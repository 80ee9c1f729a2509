package tlsbuf

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"unsafe"
)

// field is where in a tls.Conn a field of type T is; negative: there is none.
type field[T any] int

func fieldOf[T any](name string) field[T] {
	f, ok := reflect.TypeFor[tls.Conn]().FieldByName(name)
	if !ok || f.Type != reflect.TypeFor[T]() {
		return -1
	}
	return field[T](f.Offset)
}

func (f field[T]) of(c *tls.Conn) *T { return (*T)(unsafe.Add(unsafe.Pointer(c), int(f))) }

// The fields of a tls.Conn (crypto/tls: conn.go) that hold what was received.
var (
	rawInput = fieldOf[bytes.Buffer]("rawInput") // records, as they came
	input    = fieldOf[bytes.Reader]("input")    // what of a record is to be read, within rawInput
	hand     = fieldOf[bytes.Buffer]("hand")     // handshake messages

	known = rawInput >= 0 && input >= 0 && hand >= 0
)
