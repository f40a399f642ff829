package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"errand/internal/apperr"
)

// maxCursorBytes is the maximum length of an encoded cursor. The longest valid one contains a task's title.
const maxCursorBytes = 2048

// Cursor is a position in a list: the values of an item's sort key.
//
// Clients keep cursors, so every version must accept those of earlier versions. This is version 1 of the form, which
// has no number. A later version adds a member, v, which this version rejects as it does every unknown member.
type Cursor struct {
	// List identifies the list and its order. A cursor of one list is not accepted for another.
	List string `json:"l"`
	// Key is the item's sort key. Its values are strings and integers, and the last one is unique.
	Key []any `json:"k"`
}

// Encode returns the opaque form that is sent to clients. Cursors are not signed: a client can make one for any
// position of its own list, which gives access to nothing else.
func (c Cursor) Encode() string {
	b, _ := json.Marshal(c) // strings and integers always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// Int returns the i-th value of the key, or 0 if it is not an integer.
func (c *Cursor) Int(i int) int64 {
	n, _ := c.Key[i].(int64)
	return n
}

// Text returns the i-th value of the key, or "" if it is not a string.
func (c *Cursor) Text(i int) string {
	s, _ := c.Key[i].(string)
	return s
}

// parseCursor decodes the cursor in the given argument; nil stays nil. It returns apperr.BadUserInput unless s is
// exactly what Encode returns for a cursor of the list, whose keys have keyLen values.
func parseCursor(argument string, s *string, list string, keyLen int) (*Cursor, error) {
	if s == nil {
		return nil, nil
	}
	c := decodeCursor(*s)
	if c == nil || c.List != list || len(c.Key) != keyLen {
		return nil, errInvalidCursor(argument)
	}
	return c, nil
}

func errInvalidCursor(argument string) error {
	return apperr.Invalid(argument, "Invalid cursor: use a cursor that this list returned, unchanged.")
}

// decodeCursor is the inverse of Encode. It returns nil for strings that Encode does not return.
func decodeCursor(s string) *Cursor {
	if len(s) > maxCursorBytes {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	var c Cursor
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber() // float64 would round large integers
	if decoder.Decode(&c) != nil {
		return nil
	}
	for i, value := range c.Key {
		if c.Key[i] = keyValue(value); c.Key[i] == nil {
			return nil
		}
	}
	if c.Encode() != s {
		return nil
	}
	return &c
}

// keyValue converts a decoded JSON value to a string or an int64. It returns nil for other values.
func keyValue(value any) any {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return nil
}
