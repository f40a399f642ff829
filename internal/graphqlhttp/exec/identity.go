package exec

import (
	"context"
	"time"

	"errand/internal/apperr"
	"errand/internal/refusal"
	"errand/internal/viewer"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Identity is the user of a connection and when the user's token expires. The zero value is anonymous.
type Identity struct {
	UserID string
	// Expires is zero when the token does not expire.
	Expires time.Time
	// Scopes limit what the token may be used for.
	Scopes viewer.Scopes
	// CredentialID is the sign-in session or API token that Engine.AfterRevoked watches, "" for other tokens.
	CredentialID string
}

// AfterRevoked calls fn in its own goroutine when the identity's credential is revoked, until stop is called.
func (e *Engine) AfterRevoked(identity Identity, fn func()) (stop func()) {
	if e.options.AfterRevoked == nil || identity.CredentialID == "" {
		return func() {}
	}
	return e.options.AfterRevoked(identity.CredentialID, fn)
}

// Authenticate verifies a token and returns the context in which the user's operations run. An empty token means
// anonymous, not an error. The error is ready for the client, and recorded for the operator with the transport and the
// address of the peer.
func (e *Engine) Authenticate(
	ctx context.Context, token string, transport refusal.Transport, remote string,
) (context.Context, Identity, *gqlerror.Error) {
	if token == "" {
		return ctx, Identity{}, nil
	}
	authenticated, userID, expires, err := e.options.Authenticate(ctx, token)
	if err == nil && !expires.IsZero() && !expires.After(time.Now()) {
		err = apperr.Wrap(refusal.ErrExpired, apperr.Unauthenticated, "The token has expired.")
	}
	if err != nil {
		e.options.Refusals.Token(ctx, refusal.GraphQL, transport, remote, err)
		return ctx, Identity{}, e.options.ErrorPresenter(ctx, err)
	}
	v, _ := viewer.FromContext(authenticated)
	return authenticated, Identity{
		UserID:       userID,
		Expires:      expires,
		Scopes:       v.Scopes,
		CredentialID: v.CredentialID,
	}, nil
}
