// Package account knows the people: their rows come to be with their first token.
package account

import (
	"context"
	stdsql "database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/rule"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/truncate"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// MaxName bounds a display name, in characters.
const MaxName = 200

// Hooks are what a deletion asks of others.
type Hooks struct {
	// CancelReplies stops the viewer's replies under way.
	CancelReplies func(ctx context.Context) error
	// OnDeleted is told, after the commit, whose account is gone and which conversations
	// with it: their streams and connections must end. It must not block.
	OnDeleted func(userID string, conversationIDs []string)
}

// Service finds, makes, changes and deletes people.
type Service struct {
	client  *ent.Client
	hooks   Hooks
	exports pauses
}

// NewService makes the service. All hooks are needed.
func NewService(client *ent.Client, hooks Hooks) *Service { return &Service{client: client, hooks: hooks} }

// EnsureUser is the id of the person that a verified token names: one subject of one issuer, for
// another issuer's subject of the same name is somebody else. The row is made on first sight, once,
// whoever else sees the same person at the same moment; name and e-mail follow later tokens, a
// name that the person chose stays.
func (s *Service) EnsureUser(ctx context.Context, claims auth.Claims) (string, error) {
	ctx = rule.System(ctx)
	u, err := s.find(ctx, claims)
	if ent.IsNotFound(err) {
		if u, err = s.add(ctx, claims); err != nil {
			return "", err
		}
	}
	if err != nil {
		return "", fmt.Errorf("finding the user: %w", err)
	}
	return u.ID, s.follow(ctx, u, claims)
}

func (s *Service) find(ctx context.Context, claims auth.Claims) (*ent.User, error) {
	return s.client.User.Query().Where(user.Subject(claims.Subject), user.Issuer(claims.Issuer)).Only(ctx)
}

func (s *Service) add(ctx context.Context, claims auth.Claims) (*ent.User, error) {
	if err := s.admit(ctx, claims); err != nil {
		return nil, err
	}
	err := s.client.User.Create().SetIssuer(claims.Issuer).SetSubject(claims.Subject).
		SetName(clip(claims.Name, MaxName)).SetEmail(clip(claims.Email, 320)).
		OnConflict(sql.ConflictColumns(user.FieldSubject, user.FieldIssuer), sql.DoNothing()).Exec(ctx)
	// "No rows" is how a conflict that does nothing is reported: somebody else was first.
	if err != nil && !isNoRows(err) {
		return nil, fmt.Errorf("adding the user: %w", err)
	}
	return s.find(ctx, claims)
}

func (s *Service) follow(ctx context.Context, u *ent.User, claims auth.Claims) error {
	name, email := clip(claims.Name, MaxName), clip(claims.Email, 320)
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
		return fmt.Errorf("following the token: %w", err)
	}
	return nil
}

// CountByIssuer counts the people by the issuer of their tokens, for those who run the server.
func CountByIssuer(ctx context.Context, client *ent.Client) (map[string]int, error) {
	var rows []struct {
		Issuer string
		Count  int
	}
	err := client.User.Query().GroupBy(user.FieldIssuer).Aggregate(ent.Count()).Scan(rule.System(ctx), &rows)
	if err != nil {
		return nil, fmt.Errorf("counting people: %w", err)
	}
	people := map[string]int{}
	for _, r := range rows {
		people[r.Issuer] = r.Count
	}
	return people, nil
}

// CurrentUser is the signed-in person.
func (s *Service) CurrentUser(ctx context.Context) (*ent.User, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return nil, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	u, err := s.client.User.Get(ctx, v.UserID)
	if ent.IsNotFound(err) {
		return nil, apperr.New(apperr.Unauthenticated, "This account no longer exists.")
	}
	return u, err
}

// FindUser is a person by id, who can only be the viewer; nil otherwise.
func (s *Service) FindUser(ctx context.Context, id string) (*ent.User, error) {
	u, err := s.client.User.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return u, err
}

// UpdateUser changes the viewer's name or time zone; nil leaves one as it is.
func (s *Service) UpdateUser(ctx context.Context, name, timeZone *string) (*ent.User, error) {
	v, ok := viewer.FromContext(ctx)
	if !ok {
		return nil, apperr.New(apperr.Unauthenticated, "Sign in first.")
	}
	update := s.client.User.UpdateOneID(v.UserID)
	if name != nil {
		checked, err := checkName(*name)
		if err != nil {
			return nil, err
		}
		update.SetName(checked).SetNameChosen(true)
	}
	if timeZone != nil {
		if err := checkZone(*timeZone); err != nil {
			return nil, err
		}
		update.SetTimeZone(*timeZone)
	}
	u, err := update.Save(ctx)
	if ent.IsNotFound(err) {
		return nil, apperr.New(apperr.Unauthenticated, "This account no longer exists.")
	}
	return u, err
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > MaxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", apperr.Invalid("name", "A name is one line of at most %d characters.", MaxName)
	}
	return name, nil
}

// checkZone takes IANA names alone: "" and "Local" mean something else to every machine.
func checkZone(name string) error {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" || len(name) > 64 {
		return apperr.Invalid("timeZone", "Not an IANA time zone: write it as \"Europe/Berlin\".")
	}
	return nil
}

func clip(s string, characters int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return truncate.Runes(s, characters)
}

func isNoRows(err error) bool { return errors.Is(err, stdsql.ErrNoRows) }
