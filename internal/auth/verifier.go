// Package auth turns a bearer token into a viewer, for HTTP, WebSocket and MCP
// alike. Tokens are JSON Web Tokens (RFC 7519) of an identity provider, or of this
// server's own development sign-in.
package auth

import (
	"context"
	"errors"
	"slices"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth/bearer"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier decides whether a token is genuine, meant for us and in date.
type Verifier interface {
	// Verify returns what the token says. A token that is refused gives an
	// apperr.Unauthenticated whose cause is a Reason; keys that could never be
	// fetched give apperr.Unavailable, since the token may well be good.
	Verify(ctx context.Context, token string) (Claims, error)
}

const maxKeyIDBytes = 255

// Reason says why a token was refused, for the log and for tests. It never holds
// any part of the token.
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
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// ReasonOf is why err refused a token, "" when it is no such error.
func ReasonOf(err error) Reason {
	reason, _ := errors.AsType[Reason](err)
	return reason
}

// unauthenticated is the error for a token that is not accepted. The person learns only
// whether signing in again would help.
func unauthenticated(reason Reason) error {
	if reason == ReasonExpired {
		return apperr.Wrap(reason, apperr.Unauthenticated, "The token has expired. Sign in again.")
	}
	return apperr.Wrap(reason, apperr.Unauthenticated, "The token is not valid.")
}

// tokenRules is what a token must fulfil besides its signature.
type tokenRules struct {
	algorithms []string
	issuer     string   // "" accepts any
	audience   []string // one of them; none accepts any
	leeway     time.Duration
	now        func() time.Time
}

// keyFunc finds the one key that may verify a token with this algorithm and key id ("" when it names none).
type keyFunc func(ctx context.Context, algorithm, keyID string) (any, error)

// jwtVerifier verifies tokens against rules with keys from keyFor.
type jwtVerifier struct {
	parser     *jwt.Parser
	algorithms []string
	keyFunc        keyFunc
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
func (c *jwtVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, unauthenticated(ReasonTooLong)
	}
	// MapClaims keeps names exact; a struct would let "SUB" stand for "sub".
	claims := jwt.MapClaims{}
	parsed, err := c.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		return c.keyOf(ctx, t)
	})
	if err != nil {
		return Claims{}, c.translateError(parsed, err)
	}
	return readClaims(claims)
}

func (c *jwtVerifier) keyOf(ctx context.Context, t *jwt.Token) (any, error) {
	// Critical extensions must be understood (RFC 7515 section 4.1.11), and none are.
	if _, critical := t.Header["crit"]; critical || !acceptedType(t.Header["typ"]) {
		return nil, ReasonBadHeader
	}
	keyID, isText := t.Header["kid"].(string)
	if _, present := t.Header["kid"]; present && !isText || len(keyID) > maxKeyIDBytes {
		return nil, ReasonBadHeader
	}
	return c.keyFunc(ctx, t.Method.Alg(), keyID)
}

// acceptedType keeps out tokens made for other ends, such as logout tokens (RFC 8725 section 3.11).
func acceptedType(typ any) bool {
	return typ == nil || slices.Contains([]any{"JWT", "jwt", "at+jwt", "application/at+jwt"}, typ)
}

// translateError turns the library's error into ours, without any of its text: that may quote the token.
func (c *jwtVerifier) translateError(parsed *jwt.Token, err error) error {
	if own, ok := errors.AsType[*apperr.Error](err); ok {
		return own
	}
	if reason := ReasonOf(err); reason != "" {
		return unauthenticated(reason)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return apperr.From(err)
	}
	if parsed != nil && parsed.Method != nil && !slices.Contains(c.algorithms, parsed.Method.Alg()) {
		return unauthenticated(ReasonBadAlgorithm)
	}
	return unauthenticated(reasonFor(err))
}

// reasonFor picks the gravest of the library's errors, which come joined.
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
