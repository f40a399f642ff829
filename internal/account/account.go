// Package account manages user accounts. An account is created when the first valid token of
// a subject is seen; its owner can change, export and delete it.
package account

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/login"
	"errand/ent/rule"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/truncate"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
	"golang.org/x/text/unicode/norm"
)

// maxName is the maximum length of a display name, in characters.
const maxName = 200

// maxEmail is the maximum length of an e-mail address, in characters (RFC 5321: 64 + 1 + 255).
const maxEmail = 320

// Hooks are the functions that DeleteAccount calls. All are required.
type Hooks struct {
	// CancelReplies cancels the viewer's unfinished replies.
	CancelReplies func(ctx context.Context) error
	// OnDeleted is called after the commit with the deleted user and their conversations, whose streams
	// and connections must end. It must not block.
	OnDeleted func(userID string, conversationIDs []string)
	// OnRevoked is called after the commit with the sign-in sessions that ended with the account. It must not block.
	OnRevoked func(credentialIDs ...string)
}

// Service manages user accounts. The viewer's own needs the scope account. It is safe for concurrent use.
type Service struct {
	client  *ent.Client
	limits  quota.Limits
	hooks   Hooks
	exports exportLimiter
}

// NewService returns a Service. Of the limits it enforces the rate of mutations.
func NewService(client *ent.Client, limits quota.Limits, hooks Hooks) *Service {
	return &Service{client: client, limits: limits, hooks: hooks}
}

// EnsureUser returns the ID of the user that a verified token names by issuer and subject. It creates the
// account on first sight, exactly once under concurrency. Name and e-mail are updated from later tokens,
// except a name that the user chose.
func (s *Service) EnsureUser(ctx context.Context, claims auth.Claims) (string, error) {
	ctx = rule.System(ctx)
	u, err := s.findByClaims(ctx, claims)
	if ent.IsNotFound(err) {
		if u, err = s.createUser(ctx, claims); err != nil {
			return "", err
		}
	}
	if err != nil {
		return "", fmt.Errorf("finding the user: %w", err)
	}
	return u.ID, s.updateFromClaims(ctx, u, claims)
}

func (s *Service) findByClaims(ctx context.Context, claims auth.Claims) (*ent.User, error) {
	return s.client.User.Query().Where(user.Subject(claims.Subject), user.Issuer(claims.Issuer)).Only(ctx)
}

func (s *Service) createUser(ctx context.Context, claims auth.Claims) (*ent.User, error) {
	if err := s.checkNotDeleted(ctx, claims); err != nil {
		return nil, err
	}
	err := s.client.User.Create().
		SetIssuer(claims.Issuer).
		SetSubject(claims.Subject).
		SetName(cleanText(claims.Name, maxName)).
		SetEmail(cleanText(claims.Email, maxEmail)).
		OnConflict(sql.ConflictColumns(user.FieldSubject, user.FieldIssuer), sql.DoNothing()).
		Exec(ctx)
	// DO NOTHING returns no row on a conflict: a concurrent request has created the account.
	if err != nil && !errors.Is(err, stdsql.ErrNoRows) {
		return nil, fmt.Errorf("creating the user: %w", err)
	}
	return s.findByClaims(ctx, claims)
}

// updateFromClaims stores the token's name and e-mail when they are present and differ.
func (s *Service) updateFromClaims(ctx context.Context, u *ent.User, claims auth.Claims) error {
	name, email := cleanText(claims.Name, maxName), cleanText(claims.Email, maxEmail)
	if name == "" || u.NameChosen {
		name = u.Name
	}
	if email == "" {
		email = u.Email
	}
	if name == u.Name && email == u.Email {
		return nil
	}
	if err := s.client.User.UpdateOneID(u.ID).SetName(name).SetEmail(email).Exec(ctx); err != nil {
		return fmt.Errorf("updating the user from the token: %w", err)
	}
	return nil
}

// FindUsers returns the users whom an operator may mean by a name: the one with this ID, or those with this login of a
// built-in account, this subject or this e-mail address, at most maxFound.
func FindUsers(ctx context.Context, client *ent.Client, name string) ([]*ent.User, error) {
	const maxFound = 10
	users, err := client.User.Query().
		Where(user.Or(
			user.ID(name),
			user.Subject(name),
			user.HasLoginWith(login.Login(strings.ToLower(norm.NFKC.String(name)))), // as package signin stores it
			user.And(user.EmailNEQ(""), user.EmailEqualFold(name)),
		)).
		Order(user.ByID()).
		Limit(maxFound).
		All(rule.System(ctx))
	if err != nil {
		return nil, fmt.Errorf("finding the user: %w", err)
	}
	return users, nil
}

// CountByIssuer returns the number of users by the issuer of their tokens, for operators.
func CountByIssuer(ctx context.Context, client *ent.Client) (map[string]int, error) {
	var rows []struct {
		Issuer string
		Count  int
	}
	err := client.User.Query().GroupBy(user.FieldIssuer).Aggregate(ent.Count()).Scan(rule.System(ctx), &rows)
	if err != nil {
		return nil, fmt.Errorf("counting users: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, r := range rows {
		counts[r.Issuer] = r.Count
	}
	return counts, nil
}

// CountAdopted returns the number of users of the development sign-in whose data a built-in account has taken over, for
// operators.
func CountAdopted(ctx context.Context, client *ent.Client) (int, error) {
	n, err := client.User.Query().
		Where(user.Issuer(auth.DevIssuer), user.HasLogin()).
		Count(rule.System(ctx))
	if err != nil {
		return 0, fmt.Errorf("counting adopted users: %w", err)
	}
	return n, nil
}

// CurrentUser returns the viewer's account.
func (s *Service) CurrentUser(ctx context.Context) (*ent.User, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return nil, err
	}
	return s.currentUser(ctx)
}

// CurrentUserID returns the ID of the viewer's account if it exists. It needs no scope.
func (s *Service) CurrentUserID(ctx context.Context) (string, error) {
	u, err := s.currentUser(ctx)
	if err != nil {
		return "", err
	}
	return u.ID, nil
}

func (s *Service) currentUser(ctx context.Context) (*ent.User, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.client.User.Get(ctx, v.UserID)
	if ent.IsNotFound(err) {
		return nil, viewer.ErrAccountDeleted()
	}
	return u, err
}

// FindUser returns the user with the ID if it is the viewer, else nil.
func (s *Service) FindUser(ctx context.Context, id string) (*ent.User, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return nil, err
	}
	u, err := s.client.User.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return u, err
}

// UserPatch is a change of the viewer's account. A nil field leaves the value unchanged, and so does ApprovalPolicy the
// mode of a tool that it does not list.
type UserPatch struct {
	Name           *string
	TimeZone       *string
	WeekStart      *enum.Weekday
	ApprovalPolicy []*enum.ToolApproval
}

// UpdateUser changes the viewer's account.
func (s *Service) UpdateUser(ctx context.Context, p UserPatch) (*ent.User, error) {
	v, err := viewer.Require(ctx, viewer.Account)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	var u *ent.User
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := s.limits.AllowMutation(ctx, tx); err != nil {
			return err
		}
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		update := tx.User.UpdateOneID(v.UserID)
		if p.Name != nil {
			update.SetName(*p.Name).SetNameChosen(true)
		}
		if p.TimeZone != nil {
			if err := task.SetTimeZone(ctx, tx.Client(), *p.TimeZone); err != nil {
				return err
			}
		}
		if p.WeekStart != nil {
			update.SetWeekStart(*p.WeekStart)
		}
		if len(p.ApprovalPolicy) > 0 {
			before, err := tx.User.Get(ctx, v.UserID)
			if err != nil {
				return err
			}
			update.SetApprovalPolicy(mergePolicy(before.ApprovalPolicy, p.ApprovalPolicy))
		}
		u, err = update.Save(ctx)
		return err
	})
	if ent.IsNotFound(err) {
		return nil, viewer.ErrAccountDeleted()
	}
	return u, err
}

// check validates the fields, and trims the name.
func (p *UserPatch) check() error {
	if p.Name != nil {
		checked, err := checkName(*p.Name)
		if err != nil {
			return err
		}
		p.Name = &checked
	}
	if p.TimeZone != nil {
		if err := task.CheckTimeZone(*p.TimeZone); err != nil {
			return err
		}
	}
	return checkPolicy(p.ApprovalPolicy)
}

// checkName trims and validates a display name.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	n := utf8.RuneCountInString(name)
	if n > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", apperr.Invalid("name", "A name must be one line of at most %d characters; this one has %d.", maxName, n)
	}
	return name, nil
}

// cleanText removes control characters and invalid UTF-8 from a claim, and truncates it to maxChars.
func cleanText(s string, maxChars int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return truncate.Runes(s, maxChars)
}
