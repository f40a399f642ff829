package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// maxUnusable is the number of bytes that are kept of arguments that are not a JSON object.
const maxUnusable = 4 << 10

// JoinArguments returns the arguments of a tool call from the fragments of its stream. Most servers send consecutive
// pieces of one JSON object. Others send an empty object before the pieces, the whole object more than once, or the
// text so far with each fragment. Without arguments the result is an empty object. If no reading of the fragments is an
// object, the fragments are returned joined.
func JoinArguments(fragments ...string) string {
	joined := strings.Join(fragments, "")
	if object, ok := parseArguments(joined); ok {
		return string(object)
	}
	if object, ok := parseArguments(strings.Join(withoutEmptyEnds(fragments), "")); ok {
		return string(object)
	}
	if object, ok := lastIfGrowing(fragments); ok {
		return string(object)
	}
	return joined
}

// withoutEmptyEnds returns the fragments between the first and the last that are not empty arguments.
func withoutEmptyEnds(fragments []string) []string {
	for len(fragments) > 0 && isEmptyArguments(fragments[0]) {
		fragments = fragments[1:]
	}
	for len(fragments) > 0 && isEmptyArguments(fragments[len(fragments)-1]) {
		fragments = fragments[:len(fragments)-1]
	}
	return fragments
}

// lastIfGrowing returns the object in the last fragment if each fragment repeats the one before it. Fragments without
// content, such as an empty object, are skipped.
func lastIfGrowing(fragments []string) (json.RawMessage, bool) {
	const blanks = " \t\r\n" // a fragment may end within a character
	last := ""
	for _, f := range fragments {
		switch repeats := strings.HasPrefix(strings.TrimLeft(f, blanks), strings.Trim(last, blanks)); {
		case repeats && (last != "" || !isEmptyArguments(f)):
			last = f
		case !isEmptyArguments(f):
			return nil, false
		}
	}
	object, ok := parseArguments(last)
	return object, ok && last != ""
}

func isEmptyArguments(s string) bool {
	s = strings.TrimSpace(s)
	return s == "" || s == "null" || s == "{}" || s == `""`
}

// parseArguments returns the arguments of a tool call, s, as a JSON object. Empty text and null mean an empty object.
// It accepts what models and servers are known to add: code fences, an object encoded as a string, the object more
// than once, commas before a closing bracket, line breaks inside strings, and tokens after the object.
func parseArguments(s string) (json.RawMessage, bool) {
	s = trimmed(s)
	if isEmptyArguments(s) {
		return json.RawMessage(`{}`), true
	}
	if s[0] == '{' && json.Valid([]byte(s)) {
		return json.RawMessage(s), true
	}
	const maxEncodings = 3
	for range maxEncodings {
		s = trimmed(unfenced(s))
		var decoded string
		if json.Unmarshal([]byte(s), &decoded) != nil {
			break
		}
		s = trimmed(decoded)
	}
	if isEmptyArguments(s) {
		return json.RawMessage(`{}`), true
	}
	values, ok := jsonValues(s)
	if !ok {
		values, ok = jsonValues(repaired(s))
	}
	if !ok {
		return json.RawMessage(s), false
	}
	return sameObject(values, s)
}

// trimmed returns s without white space and byte order mark around it.
func trimmed(s string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), byteOrderMark))
}

// sameObject returns the object that all values are, or that the last extends.
func sameObject(values []json.RawMessage, s string) (json.RawMessage, bool) {
	last := map[string]any{}
	var object json.RawMessage
	for _, v := range values {
		var list []json.RawMessage
		if json.Unmarshal(v, &list) == nil && len(list) == 1 {
			v = list[0]
		}
		if string(v) == "null" {
			continue
		}
		next := map[string]any{}
		if json.Unmarshal(v, &next) != nil || next == nil {
			return json.RawMessage(s), false
		}
		if len(next) == 0 && object != nil {
			continue // an empty object behind the arguments
		}
		if !extends(next, last) {
			return json.RawMessage(s), false
		}
		last, object = next, v
	}
	return object, object != nil
}

// extends reports whether every member of a is a member of b, unchanged except that a string may be longer.
func extends(b, a map[string]any) bool {
	for k, v := range a {
		short, isString := v.(string)
		long, bothStrings := b[k].(string)
		if isString && bothStrings && strings.HasPrefix(long, short) {
			continue
		}
		if !reflect.DeepEqual(b[k], v) {
			return false
		}
	}
	return true
}

// jsonValues returns the consecutive JSON values that s consists of. Surplus closing brackets, fences and special
// tokens after the values are skipped.
func jsonValues(s string) ([]json.RawMessage, bool) {
	var values []json.RawMessage
	d := json.NewDecoder(strings.NewReader(s))
	for {
		var v json.RawMessage
		before := d.InputOffset()
		err := d.Decode(&v)
		switch {
		case errors.Is(err, io.EOF):
			return values, len(values) > 0
		case err != nil:
			return values, len(values) > 0 && isTrailer(s[before:])
		}
		values = append(values, v)
	}
}

// isTrailer reports whether s consists of what servers leave behind the arguments of a call.
func isTrailer(s string) bool {
	for _, token := range []string{"</tool_call>", "</function>", "```"} {
		s = strings.ReplaceAll(s, token, "")
	}
	for {
		s = strings.TrimLeft(s, "}; \t\r\n")
		rest, special := strings.CutPrefix(s, "<|")
		if !special {
			return s == ""
		}
		_, after, closed := strings.Cut(rest, "|>")
		if !closed {
			return false
		}
		s = after
	}
}

// unfenced returns the content of a Markdown code block that s consists of.
func unfenced(s string) string {
	rest, fenced := strings.CutPrefix(s, "```")
	if !fenced {
		return s
	}
	rest = strings.TrimSuffix(strings.TrimSpace(rest), "```")
	if _, body, found := strings.Cut(rest, "\n"); found && !strings.ContainsAny(rest[:len(rest)-len(body)], `{["`) {
		return body
	}
	return strings.TrimPrefix(rest, "json")
}

// repaired returns JSON without commas before closing brackets and with the control characters inside strings escaped.
func repaired(s string) string {
	var out bytes.Buffer
	inString, escaped := false, false
	for i, c := range []byte(s) {
		switch {
		case inString && c < 0x20:
			quoted, _ := json.Marshal(string(c))
			out.Write(quoted[1 : len(quoted)-1])
			escaped = false
			continue
		case inString && escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case !inString && c == ',':
			rest := strings.TrimLeft(s[i+1:], " \t\r\n")
			if rest != "" && (rest[0] == '}' || rest[0] == ']') {
				continue
			}
		}
		out.WriteByte(c)
	}
	return out.String()
}
