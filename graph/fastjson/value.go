package fastjson

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// String writes a JSON string (RFC 8259, section 7). Bytes that are not valid UTF-8 become U+FFFD. Unlike
// encoding/json it does not escape <, > and &.
func String(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	start := 0 // of the bytes that need no escape and are not written yet
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b.WriteString(s[start:i])
				b.WriteString("\uFFFD")
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b.WriteString(s[start:i])
		writeEscape(b, c)
		i++
		start = i
	}
	b.WriteString(s[start:])
	b.WriteByte('"')
}

func writeEscape(b *bytes.Buffer, c byte) {
	switch c {
	case '"', '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case '\n':
		b.WriteString(`\n`)
	case '\r':
		b.WriteString(`\r`)
	case '\t':
		b.WriteString(`\t`)
	default:
		b.WriteString(`\u00`)
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&0xF])
	}
}

// Int writes an integer.
func Int(b *bytes.Buffer, v int) { b.Write(strconv.AppendInt(b.AvailableBuffer(), int64(v), 10)) }

// Bool writes true or false.
func Bool(b *bytes.Buffer, v bool) { b.Write(strconv.AppendBool(b.AvailableBuffer(), v)) }

// Null writes null. Its result is that of a FieldWriter: false if the field is non-null.
func Null(b *bytes.Buffer, nonNull bool) bool {
	b.WriteString("null")
	return !nonNull
}
