package sink

import (
	"strconv"
	"time"
)

// Strftime appends t in the format of strftime(3) in the C locale, as %{format}t wants it. A
// conversion that is not known stays as it is written.
func Strftime(b []byte, format string, t time.Time) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b = append(b, format[i])
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++
		}
		b = convert(b, format[i], t)
	}
	return b
}

// layouts are the conversions for which the time package has words.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04",
	'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05",
	'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func convert(b []byte, c byte, t time.Time) []byte {
	if layout, ok := layouts[c]; ok {
		return t.AppendFormat(b, layout)
	}
	year, week := t.ISOWeek()
	switch c {
	case '%':
		return append(b, '%')
	case 'n':
		return append(b, '\n')
	case 't':
		return append(b, '\t')
	case 's':
		return strconv.AppendInt(b, t.Unix(), 10)
	case 'k':
		return padded(b, t.Hour(), ' ')
	case 'l':
		return padded(b, (t.Hour()+11)%12+1, ' ')
	case 'C':
		return padded(b, t.Year()/100, '0')
	case 'g':
		return padded(b, year%100, '0')
	case 'G':
		return strconv.AppendInt(b, int64(year), 10)
	case 'V':
		return padded(b, week, '0')
	case 'u':
		return strconv.AppendInt(b, int64((t.Weekday()+6)%7+1), 10)
	case 'w':
		return strconv.AppendInt(b, int64(t.Weekday()), 10)
	case 'U':
		return padded(b, (t.YearDay()+6-int(t.Weekday()))/7, '0')
	case 'W':
		return padded(b, (t.YearDay()+6-int(t.Weekday()+6)%7)/7, '0')
	}
	return append(b, '%', c)
}

func padded(b []byte, n int, fill byte) []byte {
	if n < 10 {
		b = append(b, fill)
	}
	return strconv.AppendInt(b, int64(n), 10)
}
