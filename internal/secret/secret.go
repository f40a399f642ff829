// Package secret keeps credentials out of logs, errors and dumps.
package secret

import (
	"log/slog"
	"net/http"
)

// redacted replaces the text of a secret.
const redacted = "[redacted]"

// String is a credential. Printed, logged or marshalled, by itself or inside another value, it
// appears as "[redacted]", or as nothing when it is unset. The zero value is unset.
//
// The text is behind a pointer because fmt does not call methods of unexported fields: printed
// as part of a struct, only an address appears.
type String struct{ text *string }

// New wraps text; the empty text gives an unset String.
func New(text string) String {
	if text == "" {
		return String{}
	}
	return String{text: &text}
}

// Reveal returns the text, "" when unset. Pass it only to the code that needs the credential.
func (s String) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// SetHeader sets the request header name to prefix and the text. It does nothing when s is unset.
func (s String) SetHeader(h http.Header, name, prefix string) {
	if s.IsSet() {
		h.Set(name, prefix+s.Reveal())
	}
}

// IsSet reports whether there is a text.
func (s String) IsSet() bool { return s.text != nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}

// String implements fmt.Stringer.
func (s String) String() string {
	if s.IsSet() {
		return redacted
	}
	return ""
}

// GoString implements fmt.GoStringer.
func (s String) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON implements json.Marshaler.
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }
