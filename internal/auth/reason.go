package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"errand/internal/apperr"
	"errand/internal/refusal"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
)

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
	ReasonWrongParty    Reason = "token issued to another client"
	ReasonUnusableKey   Reason = "token names a published key that cannot be used"
	// ReasonAccountDeleted is for UserStore: the token was issued before its account was deleted.
	ReasonAccountDeleted Reason = "account deleted"
	// ReasonRevoked is for a token whose sign-in session or API token was revoked.
	ReasonRevoked Reason = "signed out"
	// ReasonUnknownToken and ReasonMistyped are for API tokens.
	ReasonUnknownToken Reason = "no such API token"
	ReasonMistyped     Reason = "API token with a wrong checksum: it is truncated, mistyped or made up"
	// ReasonKeysUnavailable is the cause of an UNAVAILABLE error: the token may be valid.
	ReasonKeysUnavailable Reason = "signing keys not available"
)

// Error implements error.
func (r Reason) Error() string { return string(r) }

// refusalReasons maps the reasons to the labels of the metric.
var refusalReasons = map[Reason]refusal.Reason{
	ReasonMalformed:       refusal.Malformed,
	ReasonTooLong:         refusal.TooLong,
	ReasonBadAlgorithm:    refusal.BadAlgorithm,
	ReasonBadHeader:       refusal.BadHeader,
	ReasonUnknownKey:      refusal.UnknownKey,
	ReasonUnusableKey:     refusal.UnusableKey,
	ReasonBadSignature:    refusal.BadSignature,
	ReasonWrongIssuer:     refusal.WrongIssuer,
	ReasonWrongAudience:   refusal.WrongAudience,
	ReasonWrongParty:      refusal.WrongParty,
	ReasonExpired:         refusal.Expired,
	ReasonNotYetValid:     refusal.NotYetValid,
	ReasonMissingClaim:    refusal.MissingClaim,
	ReasonBadClaim:        refusal.BadClaim,
	ReasonNoScopes:        refusal.NoScopes,
	ReasonAccountDeleted:  refusal.AccountDeleted,
	ReasonRevoked:         refusal.SignedOut,
	ReasonUnknownToken:    refusal.UnknownToken,
	ReasonMistyped:        refusal.BadChecksum,
	ReasonKeysUnavailable: refusal.KeysUnavailable,
}

// RefusalReason implements refusal.Error.
func (r Reason) RefusalReason() refusal.Reason { return refusalReasons[r] }

// RefusalDetails implements refusal.Error.
func (r Reason) RefusalDetails() []slog.Attr { return []slog.Attr{slog.String("detail", string(r))} }

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
	if parsed != nil && parsed.Method != nil && !slices.Contains(v.rules.algorithms, parsed.Method.Alg()) {
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
