// Package bearer parses bearer tokens. It is the only parser of the Authorization header, for
// GraphQL and the Model Context Protocol alike.
package bearer

import (
	"errors"
	"net/http"
	"strings"

	"errand/internal/apperr"
)

// isToken reports whether s has the syntax of a bearer token (b64token in RFC 6750, section 2.1): at least one of these
// characters, then any number of equals signs.
func isToken(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '.', c == '_', c == '~', c == '+', c == '/', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// MaxBytes is the largest accepted token. A token of Better Auth carries the whole user.
const MaxBytes = 8 << 10

// Causes of the errors of this package, for errors.Is and metrics.
var (
	// ErrMalformed means that the value is not of the form "Bearer TOKEN".
	ErrMalformed = errors.New("malformed authorization")
	// ErrTooLong means that the token is longer than MaxBytes.
	ErrTooLong = errors.New("token too long")
)

// FromHeader returns the token of the Authorization header. Query parameters and cookies are not
// read: URLs end up in logs, and browsers attach cookies to requests of other sites. present
// reports whether the header exists. Two headers, another scheme or a malformed token are
// UNAUTHENTICATED errors.
func FromHeader(h http.Header) (token string, present bool, err error) {
	values := h.Values("Authorization")
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
		token, err = Parse(values[0])
		return token, true, err
	default:
		return "", true, malformed()
	}
}

// Parse returns the token in value, which has the form "Bearer TOKEN" with the scheme in any
// case (RFC 6750, section 2.1). Its errors have the code UNAUTHENTICATED.
func Parse(value string) (token string, err error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	token = strings.TrimLeft(rest, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", malformed()
	}
	if len(token) > MaxBytes {
		return "", apperr.Wrap(ErrTooLong, apperr.Unauthenticated, "The token is longer than %d bytes.", MaxBytes)
	}
	if !isToken(token) {
		return "", malformed()
	}
	return token, nil
}

func malformed() error {
	return apperr.Wrap(ErrMalformed, apperr.Unauthenticated, `Send one header "Authorization: Bearer TOKEN".`)
}
