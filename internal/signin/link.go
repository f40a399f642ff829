package signin

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/login"
	"errand/ent/signinlink"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
)

const (
	// setUpOverlap is how long the link of an earlier start stays valid, because each replica prints one at its start.
	setUpOverlap = 10 * time.Minute
	// maxInvitations is the maximum number of unused invitations of an owner.
	maxInvitations = 100
)

// errNoLink returns the error for a link that does not exist, was used or has expired.
func errNoLink() error {
	return apperr.New(apperr.NotFound, "This link is not valid: it was used, has expired or is incomplete.")
}

// hasOwner reports whether an account with the role OWNER exists.
func hasOwner(ctx context.Context, client *ent.LoginClient) (bool, error) {
	exists, err := client.Query().Where(login.RoleEQ(enum.RoleOwner)).Exist(asSystem(ctx))
	if err != nil {
		return false, fmt.Errorf("looking for an owner: %w", err)
	}
	return exists, nil
}

// SetUpOpen reports whether no account with the role OWNER exists, so that the link of OpenSetUp creates it.
func (s *Service) SetUpOpen(ctx context.Context) (bool, error) {
	exists, err := hasOwner(ctx, s.client.Login)
	return !exists && err == nil, err
}

// OpenSetUp returns the token of a new link that creates the first account, or "" if there is an owner. Links of
// earlier starts end.
func (s *Service) OpenSetUp(ctx context.Context) (token string, err error) {
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := s.lockIssuer(ctx, tx); err != nil {
			return err
		}
		exists, err := hasOwner(ctx, tx.Login)
		if err != nil || exists {
			return err
		}
		_, err = tx.SignInLink.Delete().
			Where(
				signinlink.KindEQ(enum.LinkSetUp),
				signinlink.UsedAtIsNil(),
				signinlink.CreatedAtLT(s.timestamp().Add(-setUpOverlap)),
			).
			Exec(asSystem(ctx))
		if err != nil {
			return fmt.Errorf("deleting old links: %w", err)
		}
		link, err := s.createLink(ctx, tx.SignInLink, newLink{kind: enum.LinkSetUp, role: enum.RoleOwner})
		token = link.Token
		return err
	})
	if err != nil {
		return "", fmt.Errorf("opening the set-up: %w", err)
	}
	return token, nil
}

// Invite returns a link that creates an account with the role MEMBER. The viewer must be an owner.
func (s *Service) Invite(ctx context.Context) (*NewLink, error) {
	owner, err := s.requireOwner(ctx)
	if err != nil {
		return nil, err
	}
	now := s.timestamp()
	open, err := s.client.SignInLink.Query().
		Where(signinlink.CreatedBy(owner.ID), signinlink.UsedAtIsNil(), signinlink.ExpiresAtGT(now)).
		Count(asSystem(ctx))
	if err != nil {
		return nil, fmt.Errorf("counting invitations: %w", err)
	}
	if open >= maxInvitations {
		return nil, apperr.OverQuota("invitations", maxInvitations, "At most %d invitations may be open.", maxInvitations)
	}
	link, err := s.createLink(ctx, s.client.SignInLink, newLink{
		kind:      enum.LinkInvite,
		role:      enum.RoleMember,
		createdBy: &owner.ID,
		expires:   new(now.Add(InviteTTL)),
	})
	if err != nil {
		return nil, err
	}
	return &link, nil
}

// newLink describes a link to create.
type newLink struct {
	kind               enum.LinkKind
	role               enum.LoginRole
	loginID, createdBy *string
	expires            *time.Time
}

func (s *Service) createLink(ctx context.Context, client *ent.SignInLinkClient, l newLink) (NewLink, error) {
	secret := randomBytes(secretBytes)
	err := client.Create().
		SetKind(l.kind).
		SetSecretHash(hashSecret(secret)).
		SetRole(l.role).
		SetNillableLoginID(l.loginID).
		SetNillableCreatedBy(l.createdBy).
		SetCreatedAt(s.timestamp()).
		SetNillableExpiresAt(l.expires).
		Exec(asSystem(ctx))
	if err != nil {
		return NewLink{}, fmt.Errorf("creating a link: %w", err)
	}
	return NewLink{Token: encode(secret), ExpiresAt: l.expires}, nil
}

// CheckLink returns what a link is for. The error is NOT_FOUND for a link that cannot be used.
func (s *Service) CheckLink(ctx context.Context, from Caller, token string) (_ *Link, err error) {
	attempt, err := s.failures.begin(s.now(), linkFailures, from.Address, "")
	if err != nil {
		return nil, err
	}
	defer func() { attempt.end(err) }()
	row, err := s.findLink(ctx, token)
	if err != nil {
		return nil, err
	}
	link := &Link{Kind: row.Kind}
	if row.Edges.Login != nil {
		link.Login = row.Edges.Login.Login
	}
	return link, nil
}

// findLink returns a link that can be used, with its login.
func (s *Service) findLink(ctx context.Context, token string) (*ent.SignInLink, error) {
	secret, err := decode(token)
	if err != nil || len(secret) != secretBytes {
		return nil, errNoLink()
	}
	row, err := s.client.SignInLink.Query().
		Where(signinlink.SecretHash(hashSecret(secret))).
		WithLogin().
		WithInviter().
		Only(asSystem(ctx))
	if ent.IsNotFound(err) {
		return nil, errNoLink()
	}
	if err != nil {
		return nil, fmt.Errorf("reading a link: %w", err)
	}
	ended := row.UsedAt != nil || row.ExpiresAt != nil && !s.now().Before(*row.ExpiresAt)
	for _, l := range []*ent.Login{row.Edges.Login, row.Edges.Inviter} {
		ended = ended || l != nil && l.DisabledAt != nil
	}
	if !ended && row.Kind == enum.LinkSetUp {
		if ended, err = hasOwner(ctx, s.client.Login); err != nil {
			return nil, err
		}
	}
	if ended {
		return nil, errNoLink()
	}
	return row, nil
}

// Redeem uses a link, once: it creates an account, or sets the password of one and ends its other sessions. Then it
// starts a session.
func (s *Service) Redeem(ctx context.Context, from Caller, in Redemption) (_ *Session, err error) {
	attempt, err := s.failures.begin(s.now(), linkFailures, from.Address, "")
	if err != nil {
		return nil, err
	}
	defer func() { attempt.end(err) }()
	link, err := s.findLink(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	r := validRedemption{link: link, from: from, existing: link.Edges.Login}
	if err := r.check(in); err != nil {
		return nil, err
	}
	if in.Password != "" {
		hash, err := s.passwords.hash(ctx, in.Password)
		if err != nil {
			return nil, err
		}
		r.hash = &hash
	}
	issuer, err := s.Issuer(ctx)
	if err != nil {
		return nil, err
	}
	var started *startedSession
	var ended []string
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := s.useLink(ctx, tx, link); err != nil {
			return err
		}
		if r.existing != nil {
			started, ended, err = s.setPassword(ctx, tx, r)
			return err
		}
		started, err = s.createAccount(ctx, tx, issuer, r)
		return err
	})
	if ent.IsConstraintError(err) {
		return nil, apperr.Invalid("login", "This login is taken.")
	}
	if err != nil {
		return nil, err
	}
	s.onRevoked(ended...)
	return s.present(ctx, started)
}

// validRedemption is a redemption whose input is valid.
type validRedemption struct {
	link        *ent.SignInLink
	from        Caller
	existing    *ent.Login // nil if the link creates an account
	login, name string
	hash        *string
}

// check validates in and sets the login and the name.
func (r *validRedemption) check(in Redemption) (err error) {
	if r.existing != nil {
		r.login, r.name = r.existing.Login, r.existing.Name
	} else if r.login, err = normalizeLogin(in.Login); err != nil {
		return err
	}
	if in.Name != "" {
		if r.name, err = checkName(in.Name); err != nil {
			return err
		}
	}
	if in.Password == "" && r.link.Kind != enum.LinkReset {
		return nil
	}
	return checkPassword("password", in.Password, r.login)
}

// useLink marks a link as used. The error is NOT_FOUND if it was used meanwhile, or if it is the link for the first
// account and there is an owner by now.
func (s *Service) useLink(ctx context.Context, tx *ent.Tx, link *ent.SignInLink) error {
	if link.Kind == enum.LinkSetUp {
		if err := s.lockIssuer(ctx, tx); err != nil {
			return err
		}
		exists, err := hasOwner(ctx, tx.Login)
		if err != nil {
			return err
		}
		if exists {
			return errNoLink()
		}
	}
	n, err := tx.SignInLink.Update().
		Where(signinlink.ID(link.ID), signinlink.UsedAtIsNil()).
		SetUsedAt(s.timestamp()).
		Save(asSystem(ctx))
	if err != nil {
		return fmt.Errorf("using a link: %w", err)
	}
	if n == 0 {
		return errNoLink()
	}
	return nil
}

// createAccount creates the user and the login of a link, and a session.
func (s *Service) createAccount(
	ctx context.Context, tx *ent.Tx, issuer string, r validRedemption,
) (*startedSession, error) {
	row, err := s.createLogin(ctx, tx, issuer, r.login, r.name, r.link.Role, r.hash)
	if err != nil {
		return nil, err
	}
	return s.createSession(asUser(ctx, row.UserID), tx, r.from, row)
}

func (s *Service) createLogin(
	ctx context.Context, tx *ent.Tx, issuer, name, display string, role enum.LoginRole, hash *string,
) (*ent.Login, error) {
	id := ids.New(ids.Login)()
	shown := display
	if shown == "" {
		shown = name
	}
	u, err := tx.User.Create().SetIssuer(issuer).SetSubject(id).SetName(shown).Save(asSystem(ctx))
	if err != nil {
		return nil, fmt.Errorf("creating the user: %w", err)
	}
	row, err := tx.Login.Create().
		SetID(id).
		SetLogin(name).
		SetName(display).
		SetRole(role).
		SetNillablePasswordHash(hash).
		SetCreatedAt(s.timestamp()).
		Save(asUser(ctx, u.ID))
	if err != nil {
		return nil, fmt.Errorf("creating the login: %w", err)
	}
	return row, nil
}

// setPassword sets the password of the account of a link, ends its sessions, and creates one.
func (s *Service) setPassword(
	ctx context.Context, tx *ent.Tx, r validRedemption,
) (started *startedSession, ended []string, err error) {
	user := asUser(ctx, r.existing.UserID)
	row, err := lockLogin(user, tx, r.existing.UserID)
	if err != nil {
		return nil, nil, err
	}
	if row.DisabledAt != nil {
		return nil, nil, errNoLink()
	}
	update := tx.Login.UpdateOneID(row.ID).SetName(r.name)
	if r.hash != nil {
		update.SetPasswordHash(*r.hash)
	}
	if row, err = update.Save(user); err != nil {
		return nil, nil, fmt.Errorf("storing the password: %w", err)
	}
	if ended, err = s.endSessions(user, tx, ""); err != nil {
		return nil, nil, err
	}
	started, err = s.createSession(user, tx, r.from, row)
	return started, ended, err
}
