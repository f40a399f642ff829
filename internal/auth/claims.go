package auth

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// Bounds of what is taken from a token, in bytes. Anything longer is refused.
const (
	MaxSubjectBytes = 255
	MaxIssuerBytes  = 255
	MaxNameBytes    = 255
	MaxEmailBytes   = 320
)

// Claims is what a verified token says about its bearer.
type Claims struct {
	// Subject is the issuer's id of the person, 1 to 255 bytes of printable text.
	Subject string
	// Issuer is whose word this is, as configured, or as the token says when any is accepted; empty
	// when it names none. A subject means nothing without it: two issuers may give it to two people.
	Issuer string
	// Name and Email may be empty. They are for show: identity is Issuer and Subject alone.
	Name  string
	Email string
	// ExpiresAt is the token's end, to the second; verification forgives the leeway beyond it.
	ExpiresAt time.Time
	// IssuedAt is when the token was made, to the second; zero when it does not say.
	IssuedAt time.Time
	// Scopes are the OAuth scopes, from "scope" (RFC 8693) or "scp"; often none.
	Scopes []string
}

// maxTime is the last second that RFC 3339 can write.
var maxTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// readClaims takes the claims out of a verified token and bounds them.
func readClaims(m jwt.MapClaims) (Claims, error) {
	subject, ok := m["sub"].(string)
	if _, present := m["sub"]; !present {
		return Claims{}, unauthenticated(ReasonMissingClaim)
	}
	if !ok || !validSubject(subject) {
		return Claims{}, unauthenticated(ReasonBadClaim)
	}
	name, nameOK := optionalText(m["name"], MaxNameBytes)
	email, emailOK := optionalText(m["email"], MaxEmailBytes)
	issuer, issuerOK := optionalIssuer(m["iss"])
	expires, expiresOK := numericDate(m["exp"])
	scopes, scopesOK := scopes(m)
	if !nameOK || !emailOK || !issuerOK || !expiresOK || !scopesOK {
		return Claims{}, unauthenticated(ReasonBadClaim)
	}
	issued, _ := numericDate(m["iat"]) // optional; verification has refused one that is no number
	return Claims{
		Subject: subject, Name: name, Email: email,
		ExpiresAt: expires, IssuedAt: issued, Issuer: issuer, Scopes: scopes,
	}, nil
}

// validSubject demands text that looks the same wherever it is shown: two people
// must not differ by something invisible.
func validSubject(s string) bool {
	return s != "" && len(s) <= MaxSubjectBytes && isPrintable(s)
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// optionalIssuer reads the optional issuer, a half of who somebody is: it is held to the same as a subject.
func optionalIssuer(claim any) (string, bool) {
	if claim == nil {
		return "", true
	}
	s, ok := claim.(string)
	return s, ok && len(s) <= MaxIssuerBytes && isPrintable(s)
}

// optionalText reads an optional claim without its control characters.
func optionalText(claim any, maxBytes int) (string, bool) {
	if claim == nil {
		return "", true
	}
	s, ok := claim.(string)
	if !ok || len(s) > maxBytes {
		return "", false
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(clean), true
}

// numericDate is checked before conversion: a huge number would overflow into another time.
func numericDate(claim any) (time.Time, bool) {
	seconds, ok := claim.(float64)
	if !ok || math.IsNaN(seconds) || seconds < 0 || seconds > float64(maxTime.Unix()) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

func scopes(m jwt.MapClaims) ([]string, bool) {
	claim, present := m["scope"]
	if !present {
		claim = m["scp"]
	}
	switch v := claim.(type) {
	case nil:
		return nil, true
	case string:
		return strings.Fields(v), true
	case []any:
		return scopeList(v)
	default:
		return nil, false
	}
}

func scopeList(values []any) ([]string, bool) {
	list := make([]string, len(values))
	for i, v := range values {
		var ok bool
		if list[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return list, true
}
