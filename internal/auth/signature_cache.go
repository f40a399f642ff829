package auth

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// signatureCacheTTL is the maximum time between two checks of a token's signature.
	signatureCacheTTL = time.Minute
	// signatureCacheGeneration is the number of entries in each of the cache's two generations.
	signatureCacheGeneration = 10_000
)

// signatureCache holds the hashes of tokens that the keys of one keySet have verified, so that the signature of a token
// is checked once a minute instead of with every request. The claims of a token are decoded and checked each time. A
// set that replaces another begins with an empty cache, so that no token of a withdrawn key is in it. Only accepted
// tokens are added, so that only tokens of the issuer take memory. Safe for concurrent use.
type signatureCache struct {
	mu sync.Mutex
	// A young generation that is full or as old as the TTL replaces the old one, which is dropped. That bounds the
	// memory (about 2 MB) without the bookkeeping of an LRU list.
	young, old map[tokenHash]int64 // the end of each entry's validity, in Unix nanoseconds
	begun      time.Time           // the start of the young generation
}

type tokenHash [sha256.Size]byte

func hashToken(token string) tokenHash { return sha256.Sum256([]byte(token)) }

// contains reports whether the signature of the token with this hash was verified.
func (c *signatureCache) contains(hash tokenHash, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.young[hash]
	if !ok {
		until, ok = c.old[hash]
	}
	return ok && now.UnixNano() < until
}

// add adds a token that expires at the given time.
func (c *signatureCache) add(hash tokenHash, now, expires time.Time) {
	until := now.Add(signatureCacheTTL)
	if expires.Before(until) {
		until = expires
	}
	if !until.After(now) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= signatureCacheGeneration || now.Sub(c.begun) >= signatureCacheTTL {
		c.old, c.young, c.begun = c.young, map[tokenHash]int64{}, now
	}
	c.young[hash] = until.UnixNano()
}

// verifiedMethod is the signing method of a token whose signature is in a signatureCache.
type verifiedMethod struct{ jwt.SigningMethod }

// Verify implements jwt.SigningMethod.
func (verifiedMethod) Verify(string, []byte, any) error { return nil }
