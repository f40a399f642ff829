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
	Malformed     Reason = "token malformed"
	TooLong       Reason = "token too long"
	BadAlgorithm  Reason = "token algorithm not accepted"
	BadHeader     Reason = "token header not accepted"
	UnknownKey    Reason = "token names a key that is not published"
	BadSignature  Reason = "token signature invalid"
	WrongIssuer   Reason = "token of another issuer"
	WrongAudience Reason = "token for another audience"
	Expired       Reason = "token expired"
	NotYetValid   Reason = "token not valid yet"
	MissingClaim  Reason = "token lacks a required claim"
	BadClaim      Reason = "token holds a claim that is not accepted"
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// ReasonOf is why err refused a token, "" when it is no such error.
func ReasonOf(err error) Reason {
	reason, _ := errors.AsType[Reason](err)
	return reason
}

// refused is the error for a token that is not accepted. The person learns only
// whether signing in again would help.
func refused(reason Reason) error {
	if reason == Expired {
		return apperr.Wrap(reason, apperr.Unauthenticated, "The token has expired. Sign in again.")
	}
	return apperr.Wrap(reason, apperr.Unauthenticated, "The token is not valid.")
}

// rules is what a token must fulfil besides its signature.
type rules struct {
	algorithms []string
	issuer     string   // "" accepts any
	audience   []string // one of them; none accepts any
	leeway     time.Duration
	now        func() time.Time
}

// keyFor finds the one key that may verify a token with this algorithm and key id ("" when it names none).
type keyFor func(ctx context.Context, algorithm, keyID string) (any, error)

// checker verifies tokens against rules with keys from keyFor.
type checker struct {
	parser     *jwt.Parser
	algorithms []string
	key        keyFor
}

func newChecker(r rules, key keyFor) *checker {
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
	return &checker{parser: jwt.NewParser(options...), algorithms: r.algorithms, key: key}
}

// Verify implements Verifier.
func (c *checker) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, refused(TooLong)
	}
	// MapClaims keeps names exact; a struct would let "SUB" stand for "sub".
	claims := jwt.MapClaims{}
	parsed, err := c.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		return c.keyOf(ctx, t)
	})
	if err != nil {
		return Claims{}, c.explain(parsed, err)
	}
	return readClaims(claims)
}

func (c *checker) keyOf(ctx context.Context, t *jwt.Token) (any, error) {
	// Critical extensions must be understood (RFC 7515 section 4.1.11), and none are.
	if _, critical := t.Header["crit"]; critical || !acceptedType(t.Header["typ"]) {
		return nil, BadHeader
	}
	keyID, isText := t.Header["kid"].(string)
	if _, present := t.Header["kid"]; present && !isText || len(keyID) > maxKeyIDBytes {
		return nil, BadHeader
	}
	return c.key(ctx, t.Method.Alg(), keyID)
}

// acceptedType keeps out tokens made for other ends, such as logout tokens (RFC 8725 section 3.11).
func acceptedType(typ any) bool {
	return typ == nil || slices.Contains([]any{"JWT", "jwt", "at+jwt", "application/at+jwt"}, typ)
}

// explain turns the library's error into ours, without any of its text: that may quote the token.
func (c *checker) explain(parsed *jwt.Token, err error) error {
	if own, ok := errors.AsType[*apperr.Error](err); ok {
		return own
	}
	if reason := ReasonOf(err); reason != "" {
		return refused(reason)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return apperr.From(err)
	}
	if parsed != nil && parsed.Method != nil && !slices.Contains(c.algorithms, parsed.Method.Alg()) {
		return refused(BadAlgorithm)
	}
	return refused(reasonFor(err))
}

// reasonFor picks the gravest of the library's errors, which come joined.
func reasonFor(err error) Reason {
	for _, known := range []struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenMalformed, Malformed},
		{jwt.ErrTokenSignatureInvalid, BadSignature},
		{jwt.ErrTokenUnverifiable, BadAlgorithm},
		{jwt.ErrTokenInvalidIssuer, WrongIssuer},
		{jwt.ErrTokenInvalidAudience, WrongAudience},
		{jwt.ErrTokenRequiredClaimMissing, MissingClaim},
		{jwt.ErrTokenExpired, Expired},
		{jwt.ErrTokenNotValidYet, NotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, NotYetValid},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return BadClaim
}
