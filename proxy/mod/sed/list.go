package sed

// listWidth is after how many bytes l begins another line.
const listWidth = 71

// list is l: the pattern space with all that can't be printed as octal numbers, folded (httpd: sed1.c, LCOM).
func (m *machine) list(*command) error {
	line := make([]byte, 0, listWidth+1)
	put := func(s ...byte) {
		for _, b := range s {
			if line = append(line, b); len(line) == listWidth {
				m.print(append(line, '\\'))
				line = line[:0]
			}
		}
	}
	for _, b := range m.text() {
		switch {
		case b == '\n', ' ' <= b && b < 0x7f:
			put(b)
		case b < ' ':
			put('\\', '0'+b>>3, '0'+b&7)
		default: // httpd's bytes beyond ASCII are negative
			put('\\', byte('0'+int8(b)>>6), '0'+b>>3&7, '0'+b&7)
		}
	}
	m.print(line)
	return nil
}
