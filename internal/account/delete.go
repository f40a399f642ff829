package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/deletedaccount"
	"errand/ent/rule"
	"errand/ent/run"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"

	"entgo.io/ent/dialect/sql"
)

// DeleteConfirmation is what has to be typed to delete an account.
const DeleteConfirmation = "delete my account"

// DeleteAccount removes the viewer and everything that the viewer owns, for good, and
// returns the id that the viewer had. Replies under way are stopped first. What stays
// is a hash of the token's issuer and subject, so that tokens issued before cannot bring the account back.
func (s *Service) DeleteAccount(ctx context.Context, confirm string) (string, error) {
	if confirm != DeleteConfirmation {
		return "", apperr.Invalid("confirm", "To delete the account with everything in it, confirm with %q.", DeleteConfirmation)
	}
	u, err := s.CurrentUser(ctx)
	if err != nil {
		return "", err
	}
	if err := s.hooks.CancelReplies(ctx); err != nil {
		return "", err
	}
	conversations, err := s.removeAll(ctx, u)
	if err != nil {
		return "", err
	}
	s.hooks.OnDeleted(u.ID, conversations)
	return u.ID, nil
}

// deleteTries is how often a deletion is tried that met other work of the same person: on
// PostgreSQL each may hold what the other wants, and then one of them is undone.
const deleteTries = 3

func (s *Service) removeAll(ctx context.Context, u *ent.User) (conversations []string, err error) {
	for range deleteTries {
		err = store.WithTx(ctx, s.client, func(tx *ent.Tx) (err error) {
			conversations, err = remove(ctx, tx, u)
			return err
		})
		if !store.IsUnavailable(err) {
			break
		}
	}
	return conversations, err
}

// remove deletes the user's row, which takes all others along, and names the
// conversations that are gone.
func remove(ctx context.Context, tx *ent.Tx, u *ent.User) ([]string, error) {
	// Runs first: whoever writes a reply locks its run before all else. A run whose row is
	// gone can commit nothing more.
	if _, err := tx.Run.Delete().Where(run.UserID(u.ID)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("deleting runs: %w", err)
	}
	conversations, err := tx.Conversation.Query().Where(conversation.UserID(u.ID)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading conversations: %w", err)
	}
	err = tx.DeletedAccount.Create().SetID(identityHash(u.Issuer, u.Subject)).
		OnConflict(sql.ConflictColumns(deletedaccount.FieldID), sql.ResolveWithNewValues()).Exec(rule.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("noting the deletion: %w", err)
	}
	if _, err := tx.User.Delete().Where(user.ID(u.ID)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("deleting the user: %w", err)
	}
	return conversations, nil
}

// admit refuses to make an account for a token that was issued before the person's
// last one was deleted. Whoever signs in again gets a new, empty one.
func (s *Service) admit(ctx context.Context, claims auth.Claims) error {
	gone, err := s.client.DeletedAccount.Get(ctx, identityHash(claims.Issuer, claims.Subject))
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for a deletion: %w", err)
	}
	// Tokens say the second in which they were issued: only a later second is surely after the deletion.
	if claims.IssuedAt.After(gone.DeletedAt.Truncate(time.Second)) {
		return nil
	}
	return apperr.New(apperr.Unauthenticated, "This account was deleted. Sign in again to begin a new one.")
}

// identityHash stands for a person of an issuer. The length keeps the two parts apart.
func identityHash(issuer, subject string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(issuer), issuer, subject))
	return hex.EncodeToString(sum[:])
}
