package signin

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/signinlink"
)

// loginRows are the rows that belong to a login, for its move to another user.
type loginRows struct {
	passkeys []*ent.Passkey
	links    []*ent.SignInLink
	sessions []*ent.SignInSession
	tokens   []*ent.APIToken
}

func readLoginRows(ctx context.Context, tx *ent.Tx, row *ent.Login) (r loginRows, err error) {
	holder := asUser(ctx, row.UserID)
	if r.passkeys, err = tx.Passkey.Query().All(holder); err != nil {
		return r, fmt.Errorf("reading passkeys: %w", err)
	}
	if r.sessions, err = tx.SignInSession.Query().All(holder); err != nil {
		return r, fmt.Errorf("reading sessions: %w", err)
	}
	if r.tokens, err = tx.APIToken.Query().All(holder); err != nil {
		return r, fmt.Errorf("reading API tokens: %w", err)
	}
	r.links, err = tx.SignInLink.Query().
		Where(signinlink.Or(signinlink.LoginID(row.ID), signinlink.CreatedBy(row.ID))).
		All(asSystem(ctx))
	if err != nil {
		return r, fmt.Errorf("reading links: %w", err)
	}
	return r, nil
}

// create creates the rows again as those of another user. Sessions and API tokens are revoked, so that servers which
// know their access tokens find that in the database.
func (r loginRows) create(ctx context.Context, tx *ent.Tx, userID string, now time.Time) error {
	holder := asUser(ctx, userID)
	for _, p := range r.passkeys {
		err := tx.Passkey.Create().
			SetID(p.ID).
			SetLoginID(p.LoginID).
			SetName(p.Name).
			SetCredentialID(p.CredentialID).
			SetCredential(p.Credential).
			SetCreatedAt(p.CreatedAt).
			SetNillableLastUsedAt(p.LastUsedAt).
			Exec(holder)
		if err != nil {
			return fmt.Errorf("moving a passkey: %w", err)
		}
	}
	for _, l := range r.links {
		err := tx.SignInLink.Create().
			SetID(l.ID).
			SetKind(l.Kind).
			SetSecretHash(l.SecretHash).
			SetNillableLoginID(l.LoginID).
			SetRole(l.Role).
			SetNillableCreatedBy(l.CreatedBy).
			SetCreatedAt(l.CreatedAt).
			SetNillableExpiresAt(l.ExpiresAt).
			SetNillableUsedAt(l.UsedAt).
			Exec(asSystem(ctx))
		if err != nil {
			return fmt.Errorf("moving a link: %w", err)
		}
	}
	return r.createEnded(holder, tx, now)
}

// createEnded creates the sessions and API tokens as those of the viewer. Earlier revocations keep their time.
func (r loginRows) createEnded(ctx context.Context, tx *ent.Tx, now time.Time) error {
	for _, s := range r.sessions {
		create := tx.SignInSession.Create().
			SetID(s.ID).
			SetLoginID(s.LoginID).
			SetRefreshHash(s.RefreshHash).
			SetPreviousHash(s.PreviousHash).
			SetRotatedAt(s.RotatedAt).
			SetCreatedAt(s.CreatedAt).
			SetLastUsedAt(s.LastUsedAt).
			SetExpiresAt(s.ExpiresAt).
			SetUserAgent(s.UserAgent).
			SetRevokedAt(now)
		if s.RevokedAt != nil {
			create.SetRevokedAt(*s.RevokedAt)
		}
		if err := create.Exec(ctx); err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
	}
	for _, t := range r.tokens {
		create := tx.APIToken.Create().
			SetID(t.ID).
			SetName(t.Name).
			SetTokenHash(t.TokenHash).
			SetHint(t.Hint).
			SetScopes(t.Scopes).
			SetCreatedAt(t.CreatedAt).
			SetNillableExpiresAt(t.ExpiresAt).
			SetNillableLastUsedAt(t.LastUsedAt).
			SetRevokedAt(now)
		if t.RevokedAt != nil {
			create.SetRevokedAt(*t.RevokedAt)
		}
		if err := create.Exec(ctx); err != nil {
			return fmt.Errorf("ending an API token: %w", err)
		}
	}
	return nil
}
