// Package apitoken manages API tokens: long-lived secrets with which a program acts as the user who created it, within
// scopes. A token belongs to the user's row, whatever the sign-in of the server is.
//
// [Service] creates, lists and revokes the tokens of the viewer. [Verifier] verifies secrets.
package apitoken

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/apitoken"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Limits of API tokens.
const (
	// MaxLive is the largest number of a user's tokens that are neither revoked nor expired.
	MaxLive = 50
	// MaxName is the largest length of a name, in characters.
	MaxName = 100
	// DefaultLifetime is that of a token for which no expiry was chosen.
	DefaultLifetime = 90 * 24 * time.Hour
	// retention is how long a token is listed after its end, and maxEnded how many of them are.
	retention = 30 * 24 * time.Hour
	maxEnded  = 100
)

// tokenList is the name of the list of tokens in page cursors.
const tokenList = "apiTokens"

// Service manages the viewer's API tokens. All methods need the scope account. It is safe for concurrent use.
type Service struct {
	client *ent.Client
	limits quota.Limits
	// onRevoked is called after the commit.
	onRevoked func(tokenID string)
}

// NewService returns a Service. Of the limits it enforces the rate of mutations. onRevoked is called with each token
// that was revoked, whose connections must end; it must not block.
func NewService(client *ent.Client, limits quota.Limits, onRevoked func(tokenID string)) *Service {
	return &Service{client: client, limits: limits, onRevoked: onRevoked}
}

// Input describes a new token.
type Input struct {
	// Name is one line of 1 to MaxName characters.
	Name string
	// Scopes are at least one, and not more than the viewer has.
	Scopes []enum.TokenScope
	// ExpiresAt is in the future; nil means DefaultLifetime from now.
	ExpiresAt *time.Time
	// NeverExpires excludes ExpiresAt.
	NeverExpires bool
}

// Created is a new token with its secret, which cannot be read again.
type Created struct {
	APIToken *ent.APIToken
	Secret   string
}

// CreateToken creates a token of the viewer. A viewer with an API token can create only tokens that end no later than
// that one, so that a leaked token with an expiry cannot be used for longer.
func (s *Service) CreateToken(ctx context.Context, in Input) (*Created, error) {
	v, err := requirePerson(ctx)
	if err != nil {
		return nil, err
	}
	scopes, expires, err := in.check(v, ids.Now())
	if err != nil {
		return nil, err
	}
	created := &Created{Secret: newSecret()}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := s.limits.AllowMutation(ctx, tx); err != nil {
			return err
		}
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		live, err := tx.APIToken.Query().Where(liveAt(ids.Now())).Count(ctx)
		if err != nil {
			return fmt.Errorf("counting API tokens: %w", err)
		}
		if live >= MaxLive {
			return apperr.OverQuota("apiTokens", MaxLive, "At most %d API tokens may be valid; revoke one first.", MaxLive)
		}
		created.APIToken, err = tx.APIToken.Create().
			SetName(in.Name).
			SetTokenHash(hash(created.Secret)).
			SetHint(created.Secret[:hintChars]).
			SetScopes(string(scopes)).
			SetNillableExpiresAt(expires).
			Save(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// requirePerson returns the viewer if it may manage tokens: with the scope account, and not the agent or an assistant
// over the Model Context Protocol, which text that they read may instruct.
func requirePerson(ctx context.Context) (viewer.Viewer, error) {
	v, err := viewer.Require(ctx, viewer.Account)
	if err == nil && v.Actor != viewer.ActorUser {
		err = apperr.New(apperr.Forbidden, "Assistants cannot manage API tokens.")
	}
	return v, err
}

// check validates the input, trims the name, and returns the scopes and the expiry, nil for none.
func (in *Input) check(v viewer.Viewer, now time.Time) (viewer.Scopes, *time.Time, error) {
	in.Name = strings.TrimSpace(in.Name)
	n := utf8.RuneCountInString(in.Name)
	if n < 1 || n > MaxName || !utf8.ValidString(in.Name) || strings.ContainsFunc(in.Name, unicode.IsControl) {
		return "", nil, apperr.Invalid("name", "A name must be one line of 1 to %d characters; this one has %d.", MaxName, n)
	}
	scopes, err := in.checkScopes(v)
	if err != nil {
		return "", nil, err
	}
	expires, err := in.checkExpiry(v, now)
	return scopes, expires, err
}

func (in *Input) checkScopes(v viewer.Viewer) (viewer.Scopes, error) {
	var names []string
	for _, scope := range in.Scopes {
		if !v.Scopes.Allow(viewer.Scope(scope.Name())) {
			return "", apperr.MissingScope(scope.Name())
		}
		names = append(names, scope.Name())
	}
	scopes := viewer.NewScopes(names)
	if scopes.Unlimited() { // none
		return "", apperr.Invalid("scopes", "Choose at least one scope.")
	}
	return scopes, nil
}

func (in *Input) checkExpiry(v viewer.Viewer, now time.Time) (*time.Time, error) {
	var expires *time.Time
	switch {
	case in.NeverExpires && in.ExpiresAt != nil:
		return nil, apperr.Invalid("neverExpires", "Use either `expiresAt` or `neverExpires`, not both.")
	case in.NeverExpires:
	case in.ExpiresAt == nil:
		expires = new(now.Add(DefaultLifetime))
	case !in.ExpiresAt.After(now):
		return nil, apperr.Invalid("expiresAt", "The expiry must be in the future.")
	default:
		expires = new(in.ExpiresAt.UTC().Truncate(time.Microsecond))
	}
	// Sign-in sessions have short tokens too, but they are renewed.
	if !ids.Is(v.CredentialID, ids.APIToken) || v.Expires.IsZero() {
		return expires, nil
	}
	if expires == nil {
		return nil, apperr.Invalid("neverExpires", "A token that is created with an API token cannot be valid for longer "+
			"than that one.")
	}
	if expires.After(v.Expires) {
		if in.ExpiresAt == nil {
			return new(v.Expires), nil
		}
		return nil, apperr.Invalid("expiresAt", "A token that is created with an API token cannot be valid for longer "+
			"than that one, until %s.", v.Expires.UTC().Format(time.RFC3339))
	}
	return expires, nil
}

// ListTokens returns a page of the viewer's tokens, newest first, with those that ended in the last 30 days.
func (s *Service) ListTokens(ctx context.Context, args page.Args) (*page.APITokenConnection, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return nil, err
	}
	w, err := args.Window(tokenList, 1)
	if err != nil {
		return nil, err
	}
	q := s.client.APIToken.Query().Limit(w.Size + 1)
	if w.Backward {
		q.Order(apitoken.ByID())
	} else {
		q.Order(apitoken.ByID(sql.OrderDesc()))
	}
	if w.After != nil {
		q.Where(apitoken.IDLT(w.After.Text(0)))
	}
	if w.Before != nil {
		q.Where(apitoken.IDGT(w.Before.Text(0)))
	}
	tokens, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading API tokens: %w", err)
	}
	return page.Build(w, tokens, tokenCursor, s.count), nil
}

func tokenCursor(t *ent.APIToken) page.Cursor { return page.Cursor{List: tokenList, Key: []any{t.ID}} }

func (s *Service) count(ctx context.Context) (page.Total, error) {
	n, err := s.client.APIToken.Query().Count(ctx)
	return page.Total{Count: n}, err
}

// TokensByID returns those of the viewer's tokens that exist, by ID.
func (s *Service) TokensByID(ctx context.Context, wanted []string) (map[string]*ent.APIToken, error) {
	if _, err := viewer.Require(ctx, viewer.Account); err != nil {
		return nil, err
	}
	tokens, err := s.client.APIToken.Query().Where(apitoken.IDIn(wanted...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading API tokens: %w", err)
	}
	byID := make(map[string]*ent.APIToken, len(tokens))
	for _, t := range tokens {
		byID[t.ID] = t
	}
	return byID, nil
}

// RevokeToken ends a token of the viewer at once, with its connections. Revoking it again changes nothing.
func (s *Service) RevokeToken(ctx context.Context, id string) (*ent.APIToken, error) {
	v, err := requirePerson(ctx)
	if err != nil {
		return nil, err
	}
	var t *ent.APIToken
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := s.limits.AllowMutation(ctx, tx); err != nil {
			return err
		}
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		t, err = tx.APIToken.Get(ctx, id)
		if err != nil || t.RevokedAt != nil {
			return err
		}
		t, err = tx.APIToken.UpdateOneID(id).SetRevokedAt(ids.Now()).Save(ctx)
		return err
	})
	if ent.IsNotFound(err) {
		return nil, apperr.Missing("API token")
	}
	if err != nil {
		return nil, err
	}
	s.onRevoked(t.ID)
	return t, nil
}

// Scopes returns the scopes of a token, for GraphQL.
func Scopes(t *ent.APIToken) []enum.TokenScope {
	var scopes []enum.TokenScope
	for name := range strings.FieldsSeq(t.Scopes) {
		scopes = append(scopes, enum.NewTokenScope(name))
	}
	return scopes
}

// Status of a token at a time.
func Status(t *ent.APIToken, now time.Time) enum.TokenStatus {
	switch {
	case t.RevokedAt != nil:
		return enum.TokenRevoked
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return enum.TokenExpired
	default:
		return enum.TokenActive
	}
}

// Purge deletes the viewer's tokens that ended long ago, or before many others. It needs no scope.
func (s *Service) Purge(ctx context.Context) error {
	now := ids.Now()
	ended, err := s.client.APIToken.Query().
		Where(apitoken.Not(liveAt(now))).
		Order(apitoken.ByID(sql.OrderDesc())).
		All(ctx)
	if err != nil {
		return fmt.Errorf("reading ended API tokens: %w", err)
	}
	var old []string
	for i, t := range ended {
		if i >= maxEnded || endOf(t).Before(now.Add(-retention)) {
			old = append(old, t.ID)
		}
	}
	for batch := range slices.Chunk(old, maxEnded) {
		if _, err := s.client.APIToken.Delete().Where(apitoken.IDIn(batch...)).Exec(ctx); err != nil {
			return fmt.Errorf("deleting ended API tokens: %w", err)
		}
	}
	return nil
}

// endOf returns when a token ended that is revoked or has expired.
func endOf(t *ent.APIToken) time.Time {
	if t.RevokedAt != nil {
		return *t.RevokedAt
	}
	return *t.ExpiresAt
}
