package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// UserStore finds the row of the person that a token names.
type UserStore interface {
	// EnsureUser returns the id ("user_…") of the claims' subject, creating the user on
	// first sight and following a changed name or e-mail. Calls for one subject may run at once.
	EnsureUser(ctx context.Context, claims Claims) (userID string, err error)
}

const (
	// userCacheTTL is how long an answer of Ensure is believed.
	userCacheTTL = time.Minute
	// userCacheGeneration is how many answers are kept before the older half goes.
	userCacheGeneration = 10_000
)

// UserCache spares the database the question who a token's subject is. It holds at
// most 20,000 answers of a minute or less, and no failures. Safe for concurrent use.
type UserCache struct {
	store UserStore
	now   func() time.Time

	mu sync.Mutex
	// Two generations: when young is full it becomes old, and the former old goes. What
	// is in use comes back from the database once a generation, which is cheap and bounded.
	young, old map[claimsHash]cachedUser
	// evictions counts calls of Forget: an answer that was asked for before one may be of a row that has gone.
	evictions int
}

type cachedUser struct {
	id      string
	expires time.Time
}

type claimsHash [sha256.Size]byte

// NewUserCache puts a cache before users.
func NewUserCache(users UserStore) *UserCache { return newUserCache(users, time.Now) }

func newUserCache(users UserStore, now func() time.Time) *UserCache {
	return &UserCache{store: users, now: now, young: map[claimsHash]cachedUser{}}
}

// EnsureUser implements Users.
func (c *UserCache) EnsureUser(ctx context.Context, claims Claims) (string, error) {
	key := hashClaims(claims)
	id, forgotten, ok := c.get(key)
	if ok {
		return id, nil
	}
	id, err := c.store.EnsureUser(ctx, claims)
	if err != nil {
		return "", err
	}
	c.put(key, id, forgotten)
	return id, nil
}

// Evict drops what is known of a user, whose row has gone.
func (c *UserCache) Evict(userID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evictions++
	for _, generation := range []map[claimsHash]cachedUser{c.young, c.old} {
		for key, user := range generation {
			if user.id == userID {
				delete(generation, key)
			}
		}
	}
}

func (c *UserCache) get(key claimsHash) (id string, forgotten int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user, ok := c.young[key]
	if !ok {
		user, ok = c.old[key]
	}
	return user.id, c.evictions, ok && c.now().Before(user.expires)
}

func (c *UserCache) put(key claimsHash, id string, forgotten int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evictions != forgotten {
		return
	}
	if len(c.young) >= userCacheGeneration {
		c.old, c.young = c.young, map[claimsHash]cachedUser{}
	}
	c.young[key] = cachedUser{id: id, expires: c.now().Add(userCacheTTL)}
}

// hashClaims covers what Ensure acts on. Lengths keep neighbours apart.
func hashClaims(c Claims) claimsHash {
	var buffer []byte
	for _, s := range []string{c.Issuer, c.Subject, c.Name, c.Email} {
		buffer = binary.AppendUvarint(buffer, uint64(len(s)))
		buffer = append(buffer, s...)
	}
	return sha256.Sum256(buffer)
}
