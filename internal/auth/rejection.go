package auth

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"errand/internal/apperr"
	"errand/internal/config"
	"errand/internal/refusal"

	"github.com/golang-jwt/jwt/v5"
)

// rejection is a Reason with details for the log. They are behind a function, so that printing the error does not
// print parts of the token.
type rejection struct {
	reason  Reason
	details func() []slog.Attr
}

// Error implements error.
func (r *rejection) Error() string { return r.reason.Error() }

// Unwrap returns the Reason.
func (r *rejection) Unwrap() error { return r.reason }

// RefusalReason implements refusal.Error.
func (r *rejection) RefusalReason() refusal.Reason { return r.reason.RefusalReason() }

// RefusalDetails implements refusal.Error.
func (r *rejection) RefusalDetails() []slog.Attr {
	return append(r.reason.RefusalDetails(), r.details()...)
}

// withDetails adds the details of the token to the error of its verification.
func (a *verification) withDetails(err error) error {
	reason := ReasonOf(err)
	if reason == "" {
		return err
	}
	e := apperr.From(err)
	detailed := apperr.Wrap(&rejection{reason, func() []slog.Attr { return a.details(reason) }}, e.Code, "%s", e.Message)
	detailed.RetryAfter = e.RetryAfter
	return detailed
}

// details returns what an operator needs to find a wrong configuration: what the token has, and what is expected. Parts
// of the token are truncated.
func (a *verification) details(reason Reason) []slog.Attr {
	if a.token == nil || reason == ReasonMalformed {
		return a.malformedDetails()
	}
	text := func(name string, value any) slog.Attr { return slog.String(name, printClaim(value)) }
	attrs := []slog.Attr{text("algorithm", a.token.Header["alg"]), text("key_id", a.token.Header["kid"])}
	switch reason {
	case ReasonBadAlgorithm:
		attrs = append(attrs, slog.Any("accepted_algorithms", a.rules.algorithms))
	case ReasonBadHeader:
		attrs = append(attrs, text("type", a.token.Header["typ"]))
	case ReasonUnknownKey, ReasonUnusableKey, ReasonWrongIssuer, ReasonWrongAudience, ReasonWrongParty, ReasonMissingClaim:
		attrs = append(attrs,
			text("issuer", a.claims["iss"]), slog.String("expected_issuer", a.rules.issuer),
			text("audience", a.claims["aud"]), slog.Any("expected_audience", a.rules.audience))
		if len(a.rules.parties) > 0 {
			attrs = append(attrs, text("party", partyOf(a.claims)), slog.Any("expected_party", a.rules.parties))
		}
		if reason == ReasonMissingClaim {
			attrs = append(attrs, slog.Any("missing", a.missingClaims()))
		}
	case ReasonBadClaim:
		attrs = append(attrs, slog.Any("claims", a.badClaims()))
	case ReasonExpired, ReasonNotYetValid:
		attrs = append(attrs, a.times()...)
	}
	if hint := a.hint(reason); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	return attrs
}

// malformedDetails returns the details of a token that could not be decoded.
func (a *verification) malformedDetails() []slog.Attr {
	attrs := []slog.Attr{slog.Int("parts", a.parts)}
	switch a.parts {
	case 1:
		attrs = append(attrs, slog.String("hint", "not a JSON Web Token: the issuer may have issued an opaque one; "+
			"with Auth0, clients must request an audience"))
	case 5:
		attrs = append(attrs, slog.String("hint", "the token is encrypted; with Auth0, clients must request an audience"))
	}
	return attrs
}

// badClaims returns the names of the claims that are not accepted.
func (a *verification) badClaims() []string {
	var bad []string
	if subject, _ := a.claims["sub"].(string); !validSubject(subject) {
		bad = append(bad, "sub")
	}
	if _, ok := optionalIssuer(a.claims["iss"]); !ok {
		bad = append(bad, "iss")
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		if value, present := a.claims[name]; present {
			if _, ok := numericDate(value); !ok {
				bad = append(bad, name)
			}
		}
	}
	if _, ok := readScopes(a.claims); !ok {
		bad = append(bad, "scope")
	}
	return bad
}

// times returns how far the token's times are from the clock, in seconds; negative values are in the past.
func (a *verification) times() []slog.Attr {
	var attrs []slog.Attr
	for _, name := range []string{"exp", "nbf", "iat"} {
		if at, ok := numericDate(a.claims[name]); ok {
			attrs = append(attrs, slog.Int64(name+"_in_s", int64(at.Sub(a.rules.now())/time.Second)))
		}
	}
	return attrs
}

// missingClaims returns the required claims that the token lacks.
func (a *verification) missingClaims() []string {
	required := []string{"sub", "exp"}
	if a.rules.issuer != "" {
		required = append(required, "iss")
	}
	if len(a.rules.audience) > 0 && (len(a.rules.parties) == 0 || a.rules.audienceRequired) {
		required = append(required, "aud")
	}
	missing := slices.DeleteFunc(required, func(name string) bool { return a.claims[name] != nil })
	if len(a.rules.parties) > 0 && partyOf(a.claims) == nil {
		missing = append(missing, strings.Join(partyClaims, "|"))
	}
	return missing
}

// hint returns what to change for the mistakes that are made most often, "" for others.
func (a *verification) hint(reason Reason) string {
	issuer, _ := a.claims["iss"].(string)
	algorithm, _ := a.token.Header["alg"].(string)
	switch {
	case reason == ReasonWrongIssuer && config.IsReservedIssuer(issuer):
		return "this issuer is reserved for the tokens that the server signs itself"
	case reason == ReasonWrongIssuer && strings.TrimRight(issuer, "/") == strings.TrimRight(a.rules.issuer, "/"):
		return "AUTH_ISSUER differs from the token's issuer only in the slash at its end"
	case reason == ReasonWrongIssuer && strings.EqualFold(issuer, a.rules.issuer):
		return "AUTH_ISSUER differs from the token's issuer only in upper and lower case"
	case reason == ReasonWrongIssuer:
		return "if the tokens of this issuer are to be accepted, set AUTH_ISSUER to it"
	case reason == ReasonWrongAudience:
		return "if tokens for this audience are to be accepted, add it to AUTH_AUDIENCE (or AUTH_MCP_AUDIENCE for /mcp)"
	case reason == ReasonMissingClaim && a.claims["aud"] == nil && len(a.rules.parties) == 0 && partyOf(a.claims) != nil:
		return "the issuer sets no audience: AUTH_AUTHORIZED_PARTIES accepts its tokens by azp or client_id"
	case reason == ReasonBadAlgorithm && slices.Contains(jwksAlgorithms, algorithm) &&
		!slices.Contains(a.rules.algorithms, algorithm):
		return "the token is signed with a private key: set AUTH_JWKS_URL to verify it"
	case reason == ReasonUnknownKey:
		return "the token is of another issuer, or AUTH_JWKS_URL does not publish its key"
	case reason == ReasonUnusableKey:
		return "the log names each published key that is skipped, with the reason"
	}
	return ""
}

// partyOf returns the claim that names the client a token was issued to, nil when there is none.
func partyOf(claims jwt.MapClaims) any {
	for _, name := range partyClaims {
		if claims[name] != nil {
			return claims[name]
		}
	}
	return nil
}

// printClaim returns a claim for the log: a text or a list of texts, truncated.
func printClaim(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return refusal.Printable(v)
	case []any:
		var texts []string
		for _, item := range v[:min(len(v), 5)] {
			if text, ok := item.(string); ok {
				texts = append(texts, refusal.Printable(text))
			}
		}
		return refusal.Printable(strings.Join(texts, " "))
	default:
		return "(not a text)"
	}
}
