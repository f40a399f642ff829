// Package jsonlimit measures JSON texts before they are decoded. Decoding and validation allocate memory for each
// value, so that a small text of many values is expensive.
package jsonlimit

// Shape is the size of a JSON text in values.
type Shape struct {
	// Values is an upper bound of the number of values, without the outermost.
	Values int
	// Depth is the deepest nesting of objects and arrays.
	Depth int
}

// Measure returns the shape of a valid JSON text, in one pass without allocation. The shape of an invalid text has no
// meaning; a decoder rejects it.
func Measure(text []byte) Shape {
	var s Shape
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',': // each value is followed by a comma or by the end of an object or array
			s.Values++
		case c == '{' || c == '[':
			s.Values++
			depth++
			s.Depth = max(s.Depth, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return s
}
