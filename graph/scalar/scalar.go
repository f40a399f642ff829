// Package scalar reads and writes the custom scalars of the GraphQL schema.
package scalar

import (
	"encoding/json"
	"io"
	"strconv"
	"time"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
)

const dateLayout = "2006-01-02"

// MarshalDateTime writes an instant in RFC 3339, in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(AppendDateTime(nil, t)) })
}

// AppendDateTime appends an instant in RFC 3339, in UTC, as a JSON string.
func AppendDateTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// UnmarshalDateTime reads an instant in RFC 3339 between the years 1 and 9998.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, refuse("A DateTime is a string such as \"2026-11-25T17:00:00Z\".")
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9998 {
		return time.Time{}, refuse("Not a DateTime: it must look like \"2026-11-25T17:00:00Z\".")
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// MarshalDate writes a day as it is kept.
func MarshalDate(day string) graphql.Marshaler { return quoted(day) }

// UnmarshalDate reads a day that exists, as YYYY-MM-DD.
func UnmarshalDate(v any) (string, error) {
	s, _ := v.(string)
	if _, err := time.Parse(dateLayout, s); err != nil || len(s) != len(dateLayout) || s > "9998" {
		return "", refuse("Not a Date: it must be a day that exists, such as \"2026-11-25\".")
	}
	return s, nil
}

// MarshalCursor writes a cursor.
func MarshalCursor(c string) graphql.Marshaler { return quoted(c) }

// UnmarshalCursor reads a cursor of at most 2,048 bytes; what it means is its list's affair.
func UnmarshalCursor(v any) (string, error) {
	s, ok := v.(string)
	if !ok || len(s) > 2048 {
		return "", refuse("Not a Cursor: give back one that was received, unchanged.")
	}
	return s, nil
}

// MarshalJSON writes stored JSON as it is, and anything else as a string.
func MarshalJSON(stored string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		if json.Valid([]byte(stored)) {
			_, _ = io.WriteString(w, stored)
			return
		}
		graphql.MarshalString(stored).MarshalGQL(w)
	})
}

// UnmarshalJSON keeps any JSON value as text.
func UnmarshalJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func quoted(s string) graphql.Marshaler { // for plain ASCII alone
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(s)) })
}

// refuse is a fault of the client's; the error mapper names the argument by its path.
func refuse(message string) error { return apperr.New(apperr.BadUserInput, "%s", message) }
