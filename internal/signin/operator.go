package signin

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/apitoken"
	"errand/ent/enum"
	"errand/ent/login"
	"errand/ent/signinlink"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"
)

// Users returns all accounts by login. The viewer must be an owner.
func (s *Service) Users(ctx context.Context) ([]User, error) {
	if _, err := s.requireOwner(ctx); err != nil {
		return nil, err
	}
	return s.AllUsers(ctx)
}

// AllUsers returns all accounts by login, for operators.
func (s *Service) AllUsers(ctx context.Context) ([]User, error) {
	rows, err := s.client.Login.Query().Order(login.ByLogin()).All(asSystem(ctx))
	if err != nil {
		return nil, fmt.Errorf("reading the logins: %w", err)
	}
	users := make([]User, len(rows))
	for i, row := range rows {
		users[i] = User{
			ID:        row.ID,
			Profile:   newProfile(row),
			Disabled:  row.DisabledAt != nil,
			CreatedAt: row.CreatedAt,
			UserID:    row.UserID,
		}
	}
	return users, nil
}

// HasAccounts reports whether the database has built-in accounts, whether the settings enable them or not.
func (s *Service) HasAccounts(ctx context.Context) (bool, error) {
	exists, err := s.client.Login.Query().Exist(asSystem(ctx))
	if err != nil {
		return false, fmt.Errorf("reading the logins: %w", err)
	}
	return exists, nil
}

// AddUser creates an account without a password, and returns the link that sets it. It is for operators. The error is
// BAD_USER_INPUT for a login that is not valid or is taken.
func (s *Service) AddUser(ctx context.Context, name string, role enum.LoginRole) (*NewLink, error) {
	normal, err := normalizeLogin(name)
	if err != nil {
		return nil, err
	}
	issuer, err := s.Issuer(ctx)
	if err != nil {
		return nil, err
	}
	var link NewLink
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		row, err := s.createLogin(ctx, tx, issuer, normal, "", role, nil)
		if err != nil {
			return err
		}
		link, err = s.createLink(ctx, tx.SignInLink, newLink{
			kind:    enum.LinkInvite,
			role:    role,
			loginID: &row.ID,
			expires: new(s.timestamp().Add(InviteTTL)),
		})
		return err
	})
	if ent.IsConstraintError(err) {
		return nil, apperr.Invalid("login", "The login %q is taken.", normal)
	}
	if err != nil {
		return nil, err
	}
	return &link, nil
}

// operatorLogin returns the login that an operator names.
func (s *Service) operatorLogin(ctx context.Context, name string) (*ent.Login, error) {
	normal, err := normalizeLogin(name)
	if err != nil {
		return nil, err
	}
	row, err := s.findLogin(ctx, normal)
	if err == nil && row == nil {
		err = apperr.New(apperr.NotFound, "There is no account with the login %q.", normal)
	}
	return row, err
}

// ResetUser returns a link that sets a new password. Earlier links of the account end; its password and sessions end
// when the link is used. It is for operators.
func (s *Service) ResetUser(ctx context.Context, name string) (*NewLink, error) {
	row, err := s.operatorLogin(ctx, name)
	if err != nil {
		return nil, err
	}
	if row.DisabledAt != nil {
		return nil, apperr.New(apperr.Conflict, "The account %q is disabled; enable it first.", row.Login)
	}
	var link NewLink
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if _, err := tx.SignInLink.Delete().Where(signinlink.LoginID(row.ID)).Exec(asSystem(ctx)); err != nil {
			return fmt.Errorf("deleting earlier links: %w", err)
		}
		link, err = s.createLink(ctx, tx.SignInLink, newLink{
			kind:    enum.LinkReset,
			role:    row.Role,
			loginID: &row.ID,
			expires: new(s.timestamp().Add(ResetTTL)),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &link, nil
}

// DisableUser disables an account, and ends its sessions and API tokens. It is for operators.
func (s *Service) DisableUser(ctx context.Context, name string) error {
	row, err := s.operatorLogin(ctx, name)
	if err != nil {
		return err
	}
	user, now := asUser(ctx, row.UserID), s.timestamp()
	var ended []string
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		locked, err := lockLogin(user, tx, row.UserID)
		if err != nil {
			return err
		}
		if locked.DisabledAt == nil {
			if err := tx.Login.UpdateOneID(row.ID).SetDisabledAt(now).Exec(user); err != nil {
				return fmt.Errorf("disabling the account: %w", err)
			}
		}
		if ended, err = s.endSessions(user, tx, ""); err != nil {
			return err
		}
		tokens, err := tx.APIToken.Query().Where(apitoken.RevokedAtIsNil()).IDs(user)
		if err != nil {
			return fmt.Errorf("reading API tokens: %w", err)
		}
		if err := tx.APIToken.Update().Where(apitoken.RevokedAtIsNil()).SetRevokedAt(now).Exec(user); err != nil {
			return fmt.Errorf("revoking API tokens: %w", err)
		}
		ended = append(ended, tokens...)
		return nil
	})
	if err == nil {
		s.onRevoked(ended...)
	}
	return err
}

// EnableUser enables a disabled account. Its sessions and API tokens stay ended. It is for operators.
func (s *Service) EnableUser(ctx context.Context, name string) error {
	row, err := s.operatorLogin(ctx, name)
	if err != nil {
		return err
	}
	if err := s.client.Login.UpdateOneID(row.ID).ClearDisabledAt().Exec(asUser(ctx, row.UserID)); err != nil {
		return fmt.Errorf("enabling the account: %w", err)
	}
	return nil
}

// AdoptDevUser gives the data of a user of the development sign-in to an account, which must not have tasks or
// conversations of its own. Password, passkeys and links of the account stay; its sessions and API tokens end. It is
// for operators. The error is NOT_FOUND or CONFLICT.
func (s *Service) AdoptDevUser(ctx context.Context, devUser, name string) error {
	row, err := s.operatorLogin(ctx, name)
	if err != nil {
		return err
	}
	dev, err := s.client.User.Query().
		Where(user.Issuer(auth.DevIssuer), user.Subject(devUser)).
		Only(asSystem(ctx))
	if ent.IsNotFound(err) {
		return apperr.New(apperr.NotFound, "The development sign-in has no user %q.", devUser)
	}
	if err != nil {
		return fmt.Errorf("reading the development user: %w", err)
	}
	if dev.ID == row.UserID {
		return nil
	}
	return store.WithTx(ctx, s.client, func(tx *ent.Tx) error { return s.moveLogin(ctx, tx, row.UserID, dev.ID) })
}

// moveLogin moves a login from one user to another, and deletes the first. The row is created again, because no scope
// of row-level security may change the owner of a row.
func (s *Service) moveLogin(ctx context.Context, tx *ent.Tx, from, to string) error {
	fromUser, toUser := asUser(ctx, from), asUser(ctx, to)
	row, err := lockLogin(fromUser, tx, from)
	if err != nil {
		return err
	}
	if taken, err := tx.Login.Query().Exist(toUser); err != nil || taken {
		if err == nil {
			err = apperr.New(apperr.Conflict, "Another account has the data of this development user.")
		}
		return err
	}
	u, err := tx.User.Get(fromUser, from)
	if err != nil {
		return fmt.Errorf("reading the user: %w", err)
	}
	if n := u.OpenTasks + u.CompletedTasks + u.TrashedTasks; n+u.ConversationCount > 0 {
		return apperr.New(apperr.Conflict, "The account %q has %d tasks and %d conversations of its own; "+
			"only an empty account can take over data.", row.Login, n, u.ConversationCount)
	}
	kept, err := readLoginRows(ctx, tx, row)
	if err != nil {
		return err
	}
	if _, err := tx.User.Delete().Where(user.ID(from)).Exec(fromUser); err != nil {
		return fmt.Errorf("deleting the empty user: %w", err)
	}
	err = tx.Login.Create().
		SetID(row.ID).
		SetLogin(row.Login).
		SetName(row.Name).
		SetNillablePasswordHash(row.PasswordHash).
		SetRole(row.Role).
		SetCreatedAt(row.CreatedAt).
		SetNillableDisabledAt(row.DisabledAt).
		Exec(toUser)
	if err != nil {
		return fmt.Errorf("moving the login: %w", err)
	}
	return kept.create(ctx, tx, to, s.timestamp())
}
