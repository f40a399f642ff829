// Package scalar implements the custom scalars of the GraphQL schema. Invalid input is an apperr.BadUserInput; the
// error presenter adds the name of the field from the error's path.
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

// maxDateTime is the maximum length of a DateTime in bytes; the parser accepts any number of decimal places.
const maxDateTime = 64

// MarshalDateTime writes an instant as an RFC 3339 string in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(AppendDateTime(nil, t)) })
}

// AppendDateTime appends an instant to b as an RFC 3339 string in UTC, with quotes.
func AppendDateTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// UnmarshalDateTime parses an RFC 3339 string with a year from 1 to 9998 and truncates it to microseconds.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, invalid("A DateTime must be a string such as \"2026-11-25T17:00:00Z\".")
	}
	if len(s) > maxDateTime {
		return time.Time{}, invalid("Invalid DateTime: use the format \"2026-11-25T17:00:00Z\".")
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9998 {
		return time.Time{}, invalid("Invalid DateTime: use the format \"2026-11-25T17:00:00Z\".")
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// MarshalDate writes a day, which is stored as YYYY-MM-DD.
func MarshalDate(day string) graphql.Marshaler { return quoted(day) }

// UnmarshalDate checks that v is an existing day in the form YYYY-MM-DD, before the year 9998.
func UnmarshalDate(v any) (string, error) {
	s, _ := v.(string)
	valid := len(s) == len(dateLayout) && s <= "9998"
	if valid {
		_, err := time.Parse(dateLayout, s)
		valid = err == nil
	}
	if !valid {
		return "", invalid("Invalid Date: use an existing day in the format \"2026-11-25\".")
	}
	return s, nil
}

// MarshalCursor writes a cursor.
func MarshalCursor(c string) graphql.Marshaler { return quoted(c) }

// UnmarshalCursor checks that v is a string of at most 2,048 bytes. The list or stream that it belongs to decodes it.
func UnmarshalCursor(v any) (string, error) {
	s, ok := v.(string)
	if !ok || len(s) > 2048 {
		return "", invalid("Invalid Cursor: use a cursor that the API returned, unchanged.")
	}
	return s, nil
}

// MarshalJSON writes stored JSON unchanged. Text that is not valid JSON is written as a string.
func MarshalJSON(stored string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		if json.Valid([]byte(stored)) {
			_, _ = io.WriteString(w, stored)
			return
		}
		graphql.MarshalString(stored).MarshalGQL(w)
	})
}

// UnmarshalJSON returns the JSON text of v.
func UnmarshalJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// quoted writes s as a JSON string. s must be ASCII without control characters.
func quoted(s string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(s)) })
}

func invalid(message string) error { return apperr.New(apperr.BadUserInput, "%s", message) }
