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
	"errand/ent/messageterm"
	"errand/ent/rule"
	"errand/ent/run"
	"errand/ent/signinsession"
	"errand/ent/taskterm"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
	"github.com/cenkalti/backoff/v5"
)

// DeleteConfirmation is the text that DeleteAccount requires.
const DeleteConfirmation = "delete my account"

// DeleteAccount permanently deletes the viewer with all data, and returns the user's former ID. It cancels
// unfinished replies first. Only a hash of the token's issuer and subject remains, so that tokens
// issued before the deletion do not recreate the account.
func (s *Service) DeleteAccount(ctx context.Context, confirm string) (string, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return "", err
	}
	if confirm != DeleteConfirmation {
		return "", apperr.Invalid(
			"confirm",
			"To delete the account with all its data, confirm with %q.",
			DeleteConfirmation,
		)
	}
	ctx = viewer.WithoutScopes(ctx) // the account's data goes with it, of every scope
	u, err := s.currentUser(ctx)
	if err != nil {
		return "", err
	}
	if err := s.hooks.CancelReplies(ctx); err != nil {
		return "", err
	}
	deleted, err := s.deleteWithRetry(ctx, u)
	if err != nil {
		return "", err
	}
	s.hooks.OnRevoked(deleted.sessionIDs...)
	s.hooks.OnDeleted(u.ID, deleted.conversationIDs)
	return u.ID, nil
}

// deleteAttempts bounds the retries after a deadlock: on PostgreSQL a deletion and other work of the
// same user may each hold a row that the other needs, and the server aborts one of them.
const deleteAttempts = 3

// deletion holds the IDs of deleted rows that have streams or connections.
type deletion struct{ conversationIDs, sessionIDs []string }

func (s *Service) deleteWithRetry(ctx context.Context, u *ent.User) (deletion, error) {
	attempt := func() (deleted deletion, err error) {
		err = store.WithTx(ctx, s.client, func(tx *ent.Tx) (err error) {
			deleted, err = deleteUser(ctx, tx, u)
			return err
		})
		if !store.IsUnavailable(err) {
			err = backoff.Permanent(err)
		}
		return deleted, err
	}
	// Without a delay: after a deadlock the other transaction has continued.
	return backoff.Retry(ctx, attempt, backoff.WithBackOff(&backoff.ZeroBackOff{}), backoff.WithMaxTries(deleteAttempts))
}

// deleteUser deletes the user's row, which cascades to all other rows.
func deleteUser(ctx context.Context, tx *ent.Tx, u *ent.User) (deleted deletion, err error) {
	// Runs first, in the lock order of run.Engine, which locks a run before anything else. Once the
	// run's row is gone, its worker can commit nothing more.
	if _, err := tx.Run.Delete().Where(run.UserID(u.ID)).Exec(ctx); err != nil {
		return deleted, fmt.Errorf("deleting runs: %w", err)
	}
	deleted.conversationIDs, err = tx.Conversation.Query().Where(conversation.UserID(u.ID)).IDs(ctx)
	if err != nil {
		return deleted, fmt.Errorf("reading conversations: %w", err)
	}
	deleted.sessionIDs, err = tx.SignInSession.Query().Where(signinsession.UserID(u.ID)).IDs(ctx)
	if err != nil {
		return deleted, fmt.Errorf("reading sign-in sessions: %w", err)
	}
	err = tx.DeletedAccount.Create().
		SetID(identityHash(u.Issuer, u.Subject)).
		OnConflict(sql.ConflictColumns(deletedaccount.FieldID), sql.ResolveWithNewValues()).
		Exec(rule.System(ctx))
	if err != nil {
		return deleted, fmt.Errorf("recording the deletion: %w", err)
	}
	if _, err := tx.User.Delete().Where(user.ID(u.ID)).Exec(ctx); err != nil {
		return deleted, fmt.Errorf("deleting the user: %w", err)
	}
	// The search index does not refer to the user. Without the user's row, no transaction adds to it any more.
	if _, err := tx.TaskTerm.Delete().Where(taskterm.UserID(u.ID)).Exec(ctx); err != nil {
		return deleted, fmt.Errorf("deleting the search index: %w", err)
	}
	if _, err := tx.MessageTerm.Delete().Where(messageterm.UserID(u.ID)).Exec(ctx); err != nil {
		return deleted, fmt.Errorf("deleting the search index: %w", err)
	}
	return deleted, nil
}

// checkNotDeleted returns UNAUTHENTICATED for a token that was issued before its account was
// deleted. A token of a later sign-in creates a new, empty account.
func (s *Service) checkNotDeleted(ctx context.Context, claims auth.Claims) error {
	deleted, err := s.client.DeletedAccount.Get(ctx, identityHash(claims.Issuer, claims.Subject))
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the record of a deletion: %w", err)
	}
	// The iat claim has a resolution of seconds: only a later second is certainly after the deletion.
	if claims.IssuedAt.After(deleted.DeletedAt.Truncate(time.Second)) {
		return nil
	}
	return apperr.Wrap(auth.ReasonAccountDeleted, apperr.Unauthenticated,
		"This account was deleted. Sign in again to create a new one.")
}

// identityHash returns the hash of a subject of an issuer. The length prefix keeps pairs with the same
// concatenation apart.
func identityHash(issuer, subject string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(issuer), issuer, subject))
	return hex.EncodeToString(sum[:])
}
