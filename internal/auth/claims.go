package auth

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
)

// Maximum lengths of claims in bytes. A token with a longer subject or issuer is rejected; a longer name or e-mail
// address is dropped.
const (
	MaxSubjectBytes = 255
	MaxIssuerBytes  = 255
	MaxNameBytes    = 255
	MaxEmailBytes   = 320
)

// Claims are the JWT claims of a verified token.
type Claims struct {
	// Subject is the issuer's ID of the user, 1 to 255 bytes of printable text.
	Subject string
	// Issuer is the "iss" claim, "" when the token has none. It is the configured issuer unless any is accepted.
	// A user is identified by issuer and subject together, because two issuers may assign one subject to
	// different users.
	Issuer string
	// Name and Email may be empty. They are for display only.
	Name  string
	Email string
	// ExpiresAt is the "exp" claim, in seconds; the token is accepted until then plus the leeway. It is zero for an API
	// token that does not expire.
	ExpiresAt time.Time
	// IssuedAt is the "iat" claim, in seconds; zero when the token has none.
	IssuedAt time.Time
	// Scopes are the viewer.Scopes in the first of the claims "scope" (RFC 8693), "scp" and "permissions" that has any.
	Scopes viewer.Scopes
	// UserID is the ID of the user's row, "" if it is to be found by issuer and subject; only the verifier of API tokens
	// sets it.
	UserID string
	// CredentialID is viewer.Viewer.CredentialID; only this server's own verifiers set it.
	CredentialID string
}

// maxTime is the last second that RFC 3339 can represent.
var maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// readClaims validates the claims of a token whose signature was verified.
func readClaims(m jwt.MapClaims) (Claims, error) {
	subject, ok := m["sub"].(string)
	if _, present := m["sub"]; !present {
		return Claims{}, unauthenticated(ReasonMissingClaim)
	}
	if !ok || !validSubject(subject) {
		return Claims{}, unauthenticated(ReasonBadClaim)
	}
	issuer, issuerOK := optionalIssuer(m["iss"])
	expires, expiresOK := numericDate(m["exp"])
	scopes, scopesOK := readScopes(m)
	if !issuerOK || !expiresOK || !scopesOK {
		return Claims{}, unauthenticated(ReasonBadClaim)
	}
	issued, _ := numericDate(m["iat"]) // optional; the parser has rejected one that is not a number
	return Claims{
		Subject: subject, Name: displayText(m["name"], MaxNameBytes), Email: displayText(m["email"], MaxEmailBytes),
		ExpiresAt: expires, IssuedAt: issued, Issuer: issuer, Scopes: scopes,
	}, nil
}

// validSubject accepts printable text only, so that two users never differ by invisible characters.
func validSubject(s string) bool {
	return s != "" && len(s) <= MaxSubjectBytes && isPrintable(s)
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// optionalIssuer returns the optional issuer. As part of the user's identity it is restricted like a subject.
func optionalIssuer(claim any) (string, bool) {
	if claim == nil {
		return "", true
	}
	s, ok := claim.(string)
	return s, ok && len(s) <= MaxIssuerBytes && isPrintable(s)
}

// displayText returns a claim that is only displayed, without control characters and surrounding space. Values that
// are not text, too long or damaged are dropped: they are no reason to refuse the user.
func displayText(claim any, maxBytes int) string {
	s, _ := claim.(string)
	if len(s) > maxBytes || strings.ContainsRune(s, utf8.RuneError) { // the JSON decoder replaces invalid UTF-8 by it
		return ""
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(clean)
}

// numericDate converts a NumericDate (RFC 7519 section 2). The range is checked first, because a larger number would
// overflow into another time.
func numericDate(claim any) (time.Time, bool) {
	seconds, ok := claim.(float64)
	if !ok || math.IsNaN(seconds) || seconds < 0 || seconds > float64(maxTime.Unix()) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

// readScopes returns the scopes of a token. The claims are not combined: "permissions" lists what the user may do,
// which is more than what "scope" delegates to the client.
func readScopes(m jwt.MapClaims) (viewer.Scopes, bool) {
	for _, claim := range []string{"scope", "scp"} {
		names, ok := scopeNames(m[claim])
		if !ok {
			return "", false
		}
		if scopes := viewer.NewScopes(names); !scopes.Unlimited() {
			return scopes, true
		}
	}
	names, _ := scopeNames(m["permissions"]) // issuers use the claim in other forms, too
	return viewer.NewScopes(names), true
}

// scopeNames returns the names in a list, or in a text that separates them by spaces.
func scopeNames(claim any) ([]string, bool) {
	switch v := claim.(type) {
	case nil:
		return nil, true
	case string:
		return strings.Fields(v), true
	case []any:
		return stringList(v)
	default:
		return nil, false
	}
}

func stringList(values []any) ([]string, bool) {
	list := make([]string, len(values))
	for i, v := range values {
		var ok bool
		if list[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return list, true
}
