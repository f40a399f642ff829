package auth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// UserStore finds or creates the user of a token.
type UserStore interface {
	// EnsureUser returns the ID ("user_…") of the claims' issuer and subject. It creates the user at the first
	// call and stores a changed name or e-mail address. It is called concurrently, also for one subject.
	EnsureUser(ctx context.Context, claims Claims) (userID string, err error)
}

const (
	// userCacheTTL is how long a result of EnsureUser is cached.
	userCacheTTL = time.Minute
	// userCacheGeneration is the number of entries in each of the cache's two generations.
	userCacheGeneration = 10_000
)

// UserCache is a UserStore that caches the results of another one, at most 20,000 for at most a minute.
// Errors are not cached. Safe for concurrent use.
type UserCache struct {
	store UserStore
	now   func() time.Time

	mu sync.Mutex
	// A full young generation replaces the old one, which is dropped. Entries in use are loaded again once a
	// generation; that bounds the memory without the bookkeeping of an LRU list.
	young, old map[claimsHash]cachedUser
	// evictions counts the calls of Evict. A result that was requested before an eviction is not cached, because
	// its row may have been deleted.
	evictions int
}

type cachedUser struct {
	id      string
	expires time.Time
}

type claimsHash [sha256.Size]byte

// NewUserCache returns a cache for store.
func NewUserCache(store UserStore) *UserCache { return newUserCache(store, time.Now) }

func newUserCache(store UserStore, now func() time.Time) *UserCache {
	return &UserCache{store: store, now: now, young: map[claimsHash]cachedUser{}}
}

// EnsureUser implements UserStore.
func (c *UserCache) EnsureUser(ctx context.Context, claims Claims) (string, error) {
	key := hashClaims(claims)
	id, evictions, ok := c.get(key)
	if ok {
		return id, nil
	}
	id, err := c.store.EnsureUser(ctx, claims)
	if err != nil {
		return "", err
	}
	c.put(key, id, evictions)
	return id, nil
}

// Evict removes the entries of a deleted user.
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

func (c *UserCache) get(key claimsHash) (id string, evictions int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	user, ok := c.young[key]
	if !ok {
		user, ok = c.old[key]
	}
	return user.id, c.evictions, ok && c.now().Before(user.expires)
}

// put stores a result, unless a user was evicted since get returned evictions.
func (c *UserCache) put(key claimsHash, id string, evictions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evictions != evictions {
		return
	}
	if len(c.young) >= userCacheGeneration {
		c.old, c.young = c.young, map[claimsHash]cachedUser{}
	}
	c.young[key] = cachedUser{id: id, expires: c.now().Add(userCacheTTL)}
}

// hashClaims hashes the claims that EnsureUser reads. Each is preceded by its length, so that no two lists
// have the same input.
func hashClaims(c Claims) claimsHash {
	var buffer []byte
	for _, s := range []string{c.Issuer, c.Subject, c.Name, c.Email} {
		buffer = binary.AppendUvarint(buffer, uint64(len(s)))
		buffer = append(buffer, s...)
	}
	return sha256.Sum256(buffer)
}
