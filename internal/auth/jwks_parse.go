package auth

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"errand/internal/refusal"
)

// maxPublishedKeys is the number of keys that a set may have.
const maxPublishedKeys = 100

// maxCandidates is the number of keys that are tried for one token. It bounds the work for a token that matches
// several keys: one without a key ID, or one of a set in which keys share an ID or have none.
const maxCandidates = 8

// keySet holds published keys. Each key verifies certain algorithms only, so that a token cannot choose how a key is
// used.
type keySet struct {
	keys []publishedKey
	// skipped are the keys that are not used.
	skipped []SkippedKey
	// clock is how far this machine's clock was ahead of the issuer's when the set was fetched.
	clock clockDifference
	// verified are the tokens that these keys have verified.
	verified signatureCache
}

// publishedKey is a usable key of a set.
type publishedKey struct {
	id         string // "" when the JWK has none
	algorithms []string
	key        crypto.PublicKey
}

// SkippedKey is a published key that is not used to verify tokens.
type SkippedKey struct {
	// ID is the key's ID, printable and truncated; "" when the key has none.
	ID string
	// Reason is why the key is not used.
	Reason string
	// Expected reports that the key is not meant for signatures.
	Expected bool
}

// candidates returns the keys to try for a token with this algorithm and key ID: those with the ID, then those that
// have none. For a token without an ID all keys of the algorithm are candidates (RFC 7515 section 4.1.4: the ID is a
// hint).
func (s *keySet) candidates(algorithm, id string) []crypto.PublicKey {
	var exact, others []crypto.PublicKey
	for _, k := range s.keys {
		switch {
		case !slices.Contains(k.algorithms, algorithm):
		case k.id == id:
			exact = append(exact, k.key)
		case id == "" || k.id == "":
			others = append(others, k.key)
		}
	}
	all := append(exact, others...)
	return all[:min(len(all), maxCandidates)]
}

// hasID reports whether a key of any algorithm has this ID.
func (s *keySet) hasID(id string) bool {
	return slices.ContainsFunc(s.keys, func(k publishedKey) bool { return k.id == id })
}

// hasSkipped reports whether a key with this ID is published but not used.
func (s *keySet) hasSkipped(id string) bool {
	return id != "" && slices.ContainsFunc(s.skipped, func(k SkippedKey) bool { return k.ID == refusal.Printable(id) })
}

var (
	errNotAKeySet   = errors.New("not a JWK set")
	errTooManyKeys  = fmt.Errorf("more than %d keys", maxPublishedKeys)
	errNoUsableKeys = errors.New("no usable keys")
)

// byteOrderMark may precede JSON that a Windows program wrote.
var byteOrderMark = []byte("\xef\xbb\xbf")

// parseKeySet parses a JWK set (RFC 7517). It skips keys that cannot verify tokens, such as encryption keys and
// keys of other algorithms, and records why. The error is errNoUsableKeys when none is left; the set then holds the
// skipped keys.
func parseKeySet(body []byte) (*keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &set) != nil || set.Keys == nil {
		return nil, errNotAKeySet // also Firebase's map of certificates
	}
	if len(set.Keys) > maxPublishedKeys {
		return nil, errTooManyKeys
	}
	parsed := &keySet{}
	for _, raw := range set.Keys {
		key, skipped := parseKey(raw)
		if skipped != nil {
			parsed.skipped = append(parsed.skipped, *skipped)
			continue
		}
		parsed.keys = append(parsed.keys, key)
	}
	if len(parsed.keys) == 0 {
		return parsed, errNoUsableKeys
	}
	return parsed, nil
}
