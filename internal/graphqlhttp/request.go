package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// request is one GraphQL request as its client stated it, whatever carried it.
type request struct {
	query         string
	operationName string
	variables     map[string]any
	// hash is extensions.persistedQuery.sha256Hash, "" without one.
	hash string
}

// members are the raw JSON members that make up a request; nil means absent or null.
type members struct {
	query, operationName, variables, extensions json.RawMessage
}

// decodeBody reads a request from a JSON text, which must hold exactly one object. Members
// it does not know are left alone, since clients add some; a repeated one that it knows is
// refused, since no two readers agree on which counts.
func (s Sizes) decodeBody(body []byte) (request, *problem) {
	if !utf8.Valid(body) {
		return request{}, malformed("The request body is not valid UTF-8.")
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return request{}, malformed("The request body is empty; send a JSON object with a query.")
	}
	if trimmed[0] == '[' {
		return request{}, malformed("Batched requests are not supported; send one operation per request.")
	}
	var m members
	if p := decodeObject(body, m.slots()); p != nil {
		return request{}, p
	}
	return s.decodeMembers(m)
}

func (m *members) slots() map[string]*json.RawMessage {
	return map[string]*json.RawMessage{
		"query":         &m.query,
		"operationName": &m.operationName,
		"variables":     &m.variables,
		"extensions":    &m.extensions,
	}
}

// decodeObject reads the named members of the one JSON object in text.
func decodeObject(text []byte, slots map[string]*json.RawMessage) *problem {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return notJSON(err)
	}
	seen := make(map[string]bool, len(slots))
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return notJSON(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return notJSON(err)
		}
		key, _ := name.(string)
		slot := slots[key]
		if slot == nil {
			continue
		}
		if seen[key] {
			return malformed("The member %q is given twice.", key)
		}
		seen[key] = true
		if !bytes.Equal(value, []byte("null")) {
			*slot = value
		}
	}
	if _, err := decoder.Token(); err != nil {
		return notJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return malformed("There is something after the end of the JSON object.")
	}
	return nil
}

// notJSON says where JSON is broken without repeating any of it.
func notJSON(err error) *problem {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return malformed("The request is not valid JSON (at byte %d).", syntax.Offset)
	case err != nil:
		return malformed("The request is not valid JSON: it ends too early.")
	default:
		return malformed("The request must be a JSON object.")
	}
}

func (s Sizes) decodeMembers(m members) (request, *problem) {
	var r request
	if p := decodeString("query", m.query, &r.query); p != nil {
		return r, p
	}
	if p := decodeString("operationName", m.operationName, &r.operationName); p != nil {
		return r, p
	}
	return s.decodeMaps(r, m.variables, m.extensions)
}

// decodeMaps completes r with its variables and extensions.
func (s Sizes) decodeMaps(r request, variables, rawExtensions json.RawMessage) (request, *problem) {
	var p *problem
	if r.variables, p = s.decodeMap("variables", variables); p != nil {
		return r, p
	}
	extensions, p := s.decodeMap("extensions", rawExtensions)
	if p != nil {
		return r, p
	}
	if r.hash, p = persistedHash(extensions); p != nil {
		return r, p
	}
	if r.query == "" && r.hash == "" {
		return r, wrongMember("query", "a string with a GraphQL document")
	}
	return r, nil
}

func decodeString(field string, raw json.RawMessage, into *string) *problem {
	if raw != nil && json.Unmarshal(raw, into) != nil {
		return wrongMember(field, "a string")
	}
	return nil
}

// decodeMap decodes an object of bounded size, with integers kept exact.
func (s Sizes) decodeMap(field string, raw json.RawMessage) (map[string]any, *problem) {
	if raw == nil {
		return nil, nil
	}
	if n := countValues(raw); n > s.VariableValues {
		return nil, malformed("%q holds %d values; the limit is %d.", field, n, s.VariableValues)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var m map[string]any
	if decoder.Decode(&m) != nil || m == nil {
		return nil, wrongMember(field, "an object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("There is something after the end of %q.", field)
	}
	return m, nil
}

// countValues counts the values in a valid JSON text from above, without building them:
// each is followed by a comma or closes a bracket.
func countValues(raw []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	return n
}

// persistedHash reads extensions.persistedQuery of the automatic persisted queries protocol.
func persistedHash(extensions map[string]any) (string, *problem) {
	raw, present := extensions["persistedQuery"]
	if !present || raw == nil {
		return "", nil
	}
	const field = "extensions.persistedQuery"
	persisted, ok := raw.(map[string]any)
	if !ok {
		return "", wrongMember(field, "an object")
	}
	if version, given := persisted["version"]; given && version != json.Number("1") {
		return "", wrongMember(field+".version", "1")
	}
	hash, ok := persisted["sha256Hash"].(string)
	if !ok || !isHash(hash) {
		return "", wrongMember(field+".sha256Hash", "a SHA-256 in lower-case hexadecimal")
	}
	return hash, nil
}

func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
