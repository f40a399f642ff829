package auth

import (
	"net/http"
	"regexp"
	"strings"

	"errand/internal/apperr"
)

// b64token is the form of a bearer token (RFC 6750 section 2.1).
var b64token = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// BearerToken takes the token from the Authorization header, the only place of a
// request where one is looked for: addresses end up in logs and histories, and
// cookies are sent along by foreign pages. present is false without that header. Two headers,
// another scheme, or something that is no token are refused as UNAUTHENTICATED.
func BearerToken(r *http.Request) (token string, present bool, err error) {
	headers := r.Header.Values("Authorization")
	switch len(headers) {
	case 0:
		return "", false, nil
	case 1:
		token, err = ParseBearer(headers[0])
		return token, true, err
	default:
		return "", true, badHeader()
	}
}

// ParseBearer reads the value of an authorization field, such as a client sends in
// the payload of connection_init: "Bearer TOKEN", the scheme in any case.
func ParseBearer(value string) (token string, err error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	token = strings.TrimLeft(rest, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", badHeader()
	}
	if len(token) > MaxTokenBytes {
		return "", refused(TooLong)
	}
	if !b64token.MatchString(token) {
		return "", badHeader()
	}
	return token, nil
}

func badHeader() error {
	return apperr.Wrap(Malformed, apperr.Unauthenticated, `Send one header "Authorization: Bearer TOKEN".`)
}
