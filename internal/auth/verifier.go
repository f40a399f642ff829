package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier checks a token's signature, issuer, audience and validity period.
type Verifier interface {
	// Verify returns the token's claims. A rejected token gives UNAUTHENTICATED with a Reason as the cause.
	// When no keys could be fetched so far, the error is UNAVAILABLE, because the token may be valid.
	Verify(ctx context.Context, token string) (Claims, error)
}

const maxKeyIDBytes = 255

// Reason is why a token was rejected, for logs and tests. It contains no part of the token.
type Reason string

// The reasons.
const (
	ReasonMalformed     Reason = "token malformed"
	ReasonTooLong       Reason = "token too long"
	ReasonBadAlgorithm  Reason = "token algorithm not accepted"
	ReasonBadHeader     Reason = "token header not accepted"
	ReasonUnknownKey    Reason = "token names a key that is not published"
	ReasonBadSignature  Reason = "token signature invalid"
	ReasonWrongIssuer   Reason = "token of another issuer"
	ReasonWrongAudience Reason = "token for another audience"
	ReasonExpired       Reason = "token expired"
	ReasonNotYetValid   Reason = "token not valid yet"
	ReasonMissingClaim  Reason = "token lacks a required claim"
	ReasonBadClaim      Reason = "token holds a claim that is not accepted"
	ReasonNoScopes      Reason = "token has none of Errand's scopes, which AUTH_REQUIRE_SCOPES demands"
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// ReasonOf returns why a token was rejected, "" when err is not such an error.
func ReasonOf(err error) Reason {
	reason, _ := errors.AsType[Reason](err)
	return reason
}

// unauthenticated returns the error for a rejected token. Its message reveals no more than whether a new sign-in
// would help; the reason is for the log.
func unauthenticated(reason Reason) error {
	if reason == ReasonExpired {
		return apperr.Wrap(reason, apperr.Unauthenticated, "The token has expired. Sign in again.")
	}
	return apperr.Wrap(reason, apperr.Unauthenticated, "The token is not valid.")
}

// noScopes returns the error for a valid token without scopes where they are required. A new sign-in helps only if it
// requests them.
func noScopes() error {
	var names []string
	for _, scope := range viewer.AllScopes() {
		names = append(names, string(scope))
	}
	e := apperr.Wrap(ReasonNoScopes, apperr.Forbidden, "The token needs at least one of the scopes %s.",
		strings.Join(names, ", "))
	e.Scope = strings.Join(names, " ")
	return e
}

// tokenRules are the requirements on a token besides its signature.
type tokenRules struct {
	algorithms []string
	issuer     string   // "" accepts any
	audience   []string // the token must have one of them; empty accepts any
	leeway     time.Duration
	now        func() time.Time
}

// keyFunc returns the key that verifies tokens with this algorithm and key ID ("" when the token has none).
type keyFunc func(ctx context.Context, algorithm, keyID string) (any, error)

var secretAlgorithms = []string{"HS256"}

// secretKeyFunc returns a keyFunc that uses the secret for every token. It is only for secretAlgorithms.
func secretKeyFunc(secret []byte) keyFunc {
	return func(context.Context, string, string) (any, error) { return secret, nil }
}

// combinedVerifier accepts the tokens of two verifiers with different algorithms. Only a token that first rejects
// because of its algorithm is passed to second.
type combinedVerifier struct{ first, second Verifier }

// Verify implements Verifier.
func (v combinedVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	claims, err := v.first.Verify(ctx, token)
	if ReasonOf(err) == ReasonBadAlgorithm {
		return v.second.Verify(ctx, token)
	}
	return claims, err
}

// jwtVerifier verifies tokens against tokenRules with the keys of a keyFunc.
type jwtVerifier struct {
	parser     *jwt.Parser
	algorithms []string
	keyFunc    keyFunc
}

func newJWTVerifier(r tokenRules, key keyFunc) *jwtVerifier {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(r.algorithms), jwt.WithStrictDecoding(), jwt.WithTimeFunc(r.now),
		jwt.WithLeeway(r.leeway), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	}
	if r.issuer != "" {
		options = append(options, jwt.WithIssuer(r.issuer))
	}
	if len(r.audience) > 0 {
		options = append(options, jwt.WithAudience(r.audience...))
	}
	return &jwtVerifier{parser: jwt.NewParser(options...), algorithms: r.algorithms, keyFunc: key}
}

// Verify implements Verifier.
func (v *jwtVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, unauthenticated(ReasonTooLong)
	}
	// MapClaims matches names exactly; decoding into a struct would accept "SUB" for "sub".
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		return v.keyOf(ctx, t)
	})
	if err != nil {
		return Claims{}, v.translateError(parsed, err)
	}
	return readClaims(claims)
}

// keyOf checks the token's header and returns the key that verifies it.
func (v *jwtVerifier) keyOf(ctx context.Context, t *jwt.Token) (any, error) {
	// A verifier must reject critical extensions that it does not implement (RFC 7515 section 4.1.11).
	if _, critical := t.Header["crit"]; critical || !isAcceptedType(t.Header["typ"]) {
		return nil, ReasonBadHeader
	}
	keyID, isText := t.Header["kid"].(string)
	if _, present := t.Header["kid"]; present && !isText || len(keyID) > maxKeyIDBytes {
		return nil, ReasonBadHeader
	}
	return v.keyFunc(ctx, t.Method.Alg(), keyID)
}

// isAcceptedType reports whether a "typ" header is that of an access token. It rejects tokens issued for other
// purposes, such as logout tokens (RFC 8725 section 3.11).
func isAcceptedType(typ any) bool {
	return typ == nil || slices.Contains([]any{"JWT", "jwt", "at+jwt", "application/at+jwt"}, typ)
}

// translateError converts an error of the JWT library. It drops the library's text, which may quote the token.
func (v *jwtVerifier) translateError(parsed *jwt.Token, err error) error {
	if own, ok := errors.AsType[*apperr.Error](err); ok {
		return own
	}
	if reason := ReasonOf(err); reason != "" {
		return unauthenticated(reason)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return apperr.From(err)
	}
	if parsed != nil && parsed.Method != nil && !slices.Contains(v.algorithms, parsed.Method.Alg()) {
		return unauthenticated(ReasonBadAlgorithm)
	}
	return unauthenticated(reasonFor(err))
}

// reasonFor returns the reason for the most severe of the library's joined errors.
func reasonFor(err error) Reason {
	for _, known := range []struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenMalformed, ReasonMalformed},
		{jwt.ErrTokenSignatureInvalid, ReasonBadSignature},
		{jwt.ErrTokenUnverifiable, ReasonBadAlgorithm},
		{jwt.ErrTokenInvalidIssuer, ReasonWrongIssuer},
		{jwt.ErrTokenInvalidAudience, ReasonWrongAudience},
		{jwt.ErrTokenRequiredClaimMissing, ReasonMissingClaim},
		{jwt.ErrTokenExpired, ReasonExpired},
		{jwt.ErrTokenNotValidYet, ReasonNotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, ReasonNotYetValid},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return ReasonBadClaim
}
