package apitoken

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"errand/ent"
	"errand/ent/apitoken"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/viewer"
)

const (
	// cacheTTL is how long a verified token is accepted without reading its row again. The set of revoked credentials is
	// checked each time; the TTL bounds the delay of a revocation whose event was lost, or which another process stored.
	cacheTTL = 4 * time.Second
	// cacheGeneration is the number of entries in each of the cache's two generations.
	cacheGeneration = 10_000
)

// Verifier verifies API tokens. It implements auth.Verifier and is safe for concurrent use.
type Verifier struct {
	client *ent.Client
	// isRevoked reports whether a token is known to be revoked before its row is read.
	isRevoked func(tokenID string) bool
	log       *slog.Logger
	now       func() time.Time
	uses      useRecorder

	mu sync.Mutex
	// A full young generation replaces the old one, which is dropped, as in auth.UserCache.
	young, old map[string]*verified // by hash
	// evictions counts the calls of Evict: a row that was read before one is not cached.
	evictions int
}

// verified is a token whose row was read at a time.
type verified struct {
	claims  auth.Claims
	checked time.Time
	// lastUse is the last use that is stored, or about to be.
	lastUse time.Time
}

// NewVerifier returns a verifier. isRevoked reports whether a token was revoked recently. Uses of tokens are stored
// while Run is running.
func NewVerifier(client *ent.Client, isRevoked func(tokenID string) bool, log *slog.Logger) *Verifier {
	return &Verifier{
		client:    client,
		isRevoked: isRevoked,
		log:       log,
		now:       time.Now,
		uses:      newUseRecorder(),
		young:     map[string]*verified{},
	}
}

// Verify implements auth.Verifier. A secret with a wrong form or checksum is rejected without a query.
func (v *Verifier) Verify(ctx context.Context, secret string) (auth.Claims, error) {
	if !wellFormed(secret) {
		return auth.Claims{}, auth.RejectAPIToken(auth.ReasonMistyped)
	}
	key := hash(secret)
	t, evictions, ok := v.get(key)
	if !ok {
		var err error
		if t, err = v.read(ctx, key); err != nil {
			return auth.Claims{}, err
		}
		v.put(key, t, evictions)
	}
	if v.isRevoked(t.claims.CredentialID) {
		return auth.Claims{}, auth.RejectAPIToken(auth.ReasonRevoked)
	}
	if !t.claims.ExpiresAt.IsZero() && !v.now().Before(t.claims.ExpiresAt) {
		return auth.Claims{}, auth.RejectAPIToken(auth.ReasonExpired)
	}
	v.recordUse(t)
	return t.claims, nil
}

// read reads a token. It belongs to no viewer yet: the system reads it.
func (v *Verifier) read(ctx context.Context, key string) (*verified, error) {
	now := v.now()
	row, err := v.client.APIToken.Query().Where(apitoken.TokenHash(key)).Only(asSystem(ctx))
	switch {
	case ent.IsNotFound(err):
		return nil, auth.RejectAPIToken(auth.ReasonUnknownToken)
	case err != nil:
		return nil, fmt.Errorf("reading an API token: %w", err)
	case row.RevokedAt != nil:
		return nil, auth.RejectAPIToken(auth.ReasonRevoked)
	}
	t := &verified{
		claims: auth.Claims{
			UserID:       row.UserID,
			Scopes:       viewer.Scopes(row.Scopes),
			CredentialID: row.ID,
		},
		checked: now,
	}
	if row.ExpiresAt != nil {
		t.claims.ExpiresAt = *row.ExpiresAt
	}
	if row.LastUsedAt != nil {
		t.lastUse = *row.LastUsedAt
	}
	return t, nil
}

// asSystem returns the context in which tokens are read before their user is known.
func asSystem(ctx context.Context) context.Context { return rule.System(ctx) }

func (v *Verifier) get(key string) (t *verified, evictions int, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, ok = v.young[key]
	if !ok {
		t, ok = v.old[key]
	}
	return t, v.evictions, ok && v.now().Sub(t.checked) < cacheTTL
}

// put caches a token, unless one was evicted since get returned evictions.
func (v *Verifier) put(key string, t *verified, evictions int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.evictions != evictions {
		return
	}
	if len(v.young) >= cacheGeneration {
		v.old, v.young = v.young, map[string]*verified{}
	}
	v.young[key] = t
}

// recordUse has the use of a token stored, if the last one is a minute ago.
func (v *Verifier) recordUse(t *verified) {
	v.mu.Lock()
	now := v.now()
	due := now.Sub(t.lastUse) >= useInterval
	if due {
		t.lastUse = now
	}
	v.mu.Unlock()
	if due {
		v.uses.add(use{tokenID: t.claims.CredentialID, userID: t.claims.UserID, at: now})
	}
}

// Evict makes the next request with each token of a user read its row.
func (v *Verifier) Evict(userID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.evictions++
	for _, generation := range []map[string]*verified{v.young, v.old} {
		for key, t := range generation {
			if t.claims.UserID == userID {
				delete(generation, key)
			}
		}
	}
}

// Revoked implements revoked.Source: it returns the tokens that were revoked during the last window.
func (v *Verifier) Revoked(ctx context.Context, window time.Duration) ([]string, error) {
	since := v.now().UTC().Add(-window)
	return v.client.APIToken.Query().Where(apitoken.RevokedAtGT(since)).IDs(asSystem(ctx))
}

// Owner returns the ID of the user of a token, for operators. The error is NOT_FOUND if there is no such token.
func Owner(ctx context.Context, client *ent.Client, tokenID string) (string, error) {
	row, err := client.APIToken.Get(asSystem(ctx), tokenID)
	if ent.IsNotFound(err) {
		return "", apperr.Missing("API token")
	}
	if err != nil {
		return "", fmt.Errorf("reading an API token: %w", err)
	}
	return row.UserID, nil
}
