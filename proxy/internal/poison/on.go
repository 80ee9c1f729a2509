//go:build poison

package poison

import (
	"reflect"
	"sync"
	"unsafe"
)

// On reports whether memory that is given back is overwritten.
const On = true

// Bytes overwrites all of b's storage, from its first byte on.
func Bytes(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = Byte
	}
}

// Texts overwrites the texts of what p points to, with those of its structs, arrays, and slices of structs.
// What it points to elsewhere is left alone.
func Texts(p any) {
	v := reflect.ValueOf(p)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		overwrite(v.Elem())
	}
}

// Put overwrites an item's texts. It is not used again, so that who still has it never sees the next one's.
func Put(_ *sync.Pool, item any) { Texts(item) }

func overwrite(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		*(*string)(unsafe.Pointer(v.UnsafeAddr())) = Text
	case reflect.Struct:
		for i := range v.NumField() {
			overwrite(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			overwrite(v.Index(i))
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k != reflect.Struct && k != reflect.String || v.Cap() == 0 {
			return
		}
		all := v.Slice3(0, v.Cap(), v.Cap())
		for i := range all.Len() {
			overwrite(all.Index(i))
		}
	}
}
