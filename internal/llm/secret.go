package llm

import "net/http"

// Secret is a key that does not show when it, or anything that holds it, is
// printed, logged or marshalled. The zero value is no key. It hides behind a
// pointer because fmt prints unexported fields without asking their methods.
type Secret struct{ value *string }

// NewSecret wraps a key; "" gives the zero value.
func NewSecret(key string) Secret {
	if key == "" {
		return Secret{}
	}
	return Secret{&key}
}

// Empty reports that there is no key.
func (s Secret) Empty() bool { return s.value == nil }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return "[secret]"
}

// MarshalText keeps the key out of JSON and of structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// SetHeader puts the key into a request header after prefix; no key, no header.
func (s Secret) SetHeader(h http.Header, name, prefix string) {
	if !s.Empty() {
		h.Set(name, prefix+*s.value)
	}
}
