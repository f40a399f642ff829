package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/jsonlimit"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Request is a decoded GraphQL request of any transport. It has a Query, or names a document by Hash or DocumentID, or
// both.
type Request struct {
	Query         string
	OperationName string
	Variables     map[string]any
	// Hash is the SHA-256 in documentId or in extensions.persistedQuery.sha256Hash, "" without one.
	Hash string
	// DocumentID is a documentId of another form, which only a Manifest has; "" without one.
	DocumentID string
}

// Decoder decodes requests.
type Decoder struct {
	// VariableValues is the maximum number of values in the variables of a request.
	VariableValues int
}

// RawRequest holds the members of a request as JSON texts; nil means absent or null.
type RawRequest struct {
	Query, DocumentID, OperationName, Variables, Extensions json.RawMessage
}

// DecodeBody decodes a request from a JSON text, which must be exactly one object. Unknown members are ignored, since
// clients add some. A repeated member is an error, since JSON parsers differ in which one they take.
func (d Decoder) DecodeBody(body []byte) (Request, *RequestError) {
	if !utf8.Valid(body) {
		return Request{}, BadRequest("The request body is not valid UTF-8.")
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return Request{}, BadRequest("The request body is empty; send a JSON object with a query.")
	}
	if trimmed[0] == '[' {
		return Request{}, BadRequest("The request body is an array, but batched requests are not supported. Send each " +
			"operation in a request of its own; in Apollo Client, use HttpLink in place of BatchHttpLink.")
	}
	raw, err := DecodeRaw(body)
	if err != nil {
		return Request{}, err
	}
	return d.Decode(raw)
}

// DecodeRaw splits a JSON object into the members of a request, which it does not decode.
func DecodeRaw(text []byte) (RawRequest, *RequestError) {
	var raw RawRequest
	err := DecodeMembers(text, map[string]*json.RawMessage{
		"query":         &raw.Query,
		"documentId":    &raw.DocumentID,
		"operationName": &raw.OperationName,
		"variables":     &raw.Variables,
		"extensions":    &raw.Extensions,
	})
	return raw, err
}

// DecodeMembers sets the named members of the JSON object in text. A member that is absent or null is not set.
func DecodeMembers(text []byte, members map[string]*json.RawMessage) *RequestError {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return invalidJSON(err)
	}
	seen := make(map[string]bool, len(members))
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return invalidJSON(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return invalidJSON(err)
		}
		key, _ := name.(string)
		member := members[key]
		if member == nil {
			continue
		}
		if seen[key] {
			return BadRequest("The member %q is given twice.", key)
		}
		seen[key] = true
		if !bytes.Equal(value, []byte("null")) {
			*member = value
		}
	}
	if _, err := decoder.Token(); err != nil {
		return invalidJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return BadRequest("The request has data after the end of the JSON object.")
	}
	return nil
}

// invalidJSON returns the position of a syntax error, without a quotation of the text.
func invalidJSON(err error) *RequestError {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return BadRequest("The request is not valid JSON (at byte %d).", syntax.Offset)
	case err != nil:
		return BadRequest("The request is not valid JSON: it ends too early.")
	default:
		return BadRequest("The request must be a JSON object.")
	}
}

// Decode decodes the members of a request.
func (d Decoder) Decode(raw RawRequest) (Request, *RequestError) {
	var r Request
	if err := decodeString("query", raw.Query, &r.Query); err != nil {
		return r, err
	}
	if err := checkSurrogates(raw.Query, r.Query); err != nil {
		return r, err
	}
	var id string
	if err := decodeString("documentId", raw.DocumentID, &id); err != nil {
		return r, err
	}
	r, err := r.WithDocumentID(id)
	if err != nil {
		return r, err
	}
	if err := decodeString("operationName", raw.OperationName, &r.OperationName); err != nil {
		return r, err
	}
	r, err = d.DecodeMaps(r, raw.Variables, raw.Extensions)
	if err != nil && raw.Query != nil && r.Query == "" {
		err.Malformed = false // an empty document is a string
	}
	return r, err
}

// WithDocumentID returns r with the documentId of a request for a persisted document (GraphQL over HTTP, appendix A):
// "sha256:" and the SHA-256 of the document in lower-case hexadecimal, or an identifier of the server's manifest.
func (r Request) WithDocumentID(id string) (Request, *RequestError) {
	prefix, payload, prefixed := strings.Cut(id, ":")
	switch {
	case id == "":
	case prefixed && (prefix != "sha256" || !isHash(payload)):
		return r, invalidValue("documentId", `"sha256:" and a SHA-256 in lower-case hexadecimal, or have no colon`)
	case prefixed:
		r.Hash = payload
	case isHash(id):
		r.Hash = id
	case documentID.MatchString(id):
		r.DocumentID = id
	default:
		return r, invalidValue("documentId", "at most 200 letters, digits and the characters - . _ ~")
	}
	return r, nil
}

// documentID matches a custom document identifier (GraphQL over HTTP, appendix A).
var documentID = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,200}$`)

// DecodeMaps returns r with its variables and extensions, which are JSON objects; nil means absent.
func (d Decoder) DecodeMaps(r Request, variables, extensions json.RawMessage) (Request, *RequestError) {
	var err *RequestError
	if r.Variables, err = d.decodeMap("variables", variables); err != nil {
		return r, err
	}
	decoded, err := d.decodeMap("extensions", extensions)
	if err != nil {
		return r, err
	}
	hash, err := persistedHash(decoded)
	if err != nil {
		return r, err
	}
	if hash != "" && (r.Hash != "" && r.Hash != hash || r.DocumentID != "") {
		return r, BadRequest("documentId and extensions.persistedQuery.sha256Hash name different documents.")
	}
	if hash != "" {
		r.Hash = hash
	}
	if r.Query == "" && r.Hash == "" && r.DocumentID == "" {
		return r, invalidMember("query", "a string with a GraphQL document")
	}
	return r, nil
}

func decodeString(field string, raw json.RawMessage, into *string) *RequestError {
	if raw != nil && json.Unmarshal(raw, into) != nil {
		return invalidMember(field, "a string")
	}
	return nil
}

// checkSurrogates rejects a document whose JSON text has a surrogate without its pair, which the decoder replaces.
func checkSurrogates(raw json.RawMessage, query string) *RequestError {
	const replacement = string(utf8.RuneError)
	at := strings.Index(query, replacement)
	if at < 0 {
		return nil
	}
	given := strings.Count(strings.ToLower(string(raw)), `\ufffd`) + bytes.Count(raw, []byte(replacement))
	if strings.Count(query, replacement) == given {
		return nil
	}
	line := strings.LastIndex(query[:at], "\n") + 1
	return documentError(apperr.GraphQLParseFailed, gqlerror.List{{
		Message: "The document has a surrogate without its pair.",
		Locations: []gqlerror.Location{{
			Line:   strings.Count(query[:at], "\n") + 1,
			Column: utf8.RuneCountInString(query[line:at]) + 1,
		}},
	}})
}

// decodeMap decodes an object of at most VariableValues values. Numbers keep their text.
func (d Decoder) decodeMap(field string, raw json.RawMessage) (map[string]any, *RequestError) {
	if raw == nil {
		return nil, nil
	}
	if n := jsonlimit.Measure(raw).Values; n > d.VariableValues {
		return nil, BadRequest("%q has %d values; the limit is %d.", field, n, d.VariableValues)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var m map[string]any
	if decoder.Decode(&m) != nil || m == nil {
		return nil, invalidMember(field, "an object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, BadRequest("%q has data after the end of the JSON object.", field)
	}
	return m, nil
}

// persistedHash returns the hash in extensions.persistedQuery of the automatic persisted queries protocol.
func persistedHash(extensions map[string]any) (string, *RequestError) {
	raw, present := extensions["persistedQuery"]
	if !present || raw == nil {
		return "", nil
	}
	const field = "extensions.persistedQuery"
	persisted, ok := raw.(map[string]any)
	if !ok {
		return "", invalidValue(field, "an object")
	}
	if version, given := persisted["version"]; given && version != json.Number("1") {
		return "", invalidValue(field+".version", "1")
	}
	hash, ok := persisted["sha256Hash"].(string)
	if !ok || !isHash(hash) {
		return "", invalidValue(field+".sha256Hash", "a SHA-256 in lower-case hexadecimal")
	}
	return hash, nil
}

func isHash(s string) bool { return len(s) == 64 && isHexadecimal(s) }

// isHexadecimal reports whether s has only digits and lower-case letters of hexadecimal numbers.
func isHexadecimal(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
