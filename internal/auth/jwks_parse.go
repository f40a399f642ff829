package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/MicahParks/jwkset"
)

// jwksAlgorithms are the signatures that are accepted with published keys. The
// symmetric ones are not among them, so that a public key can never serve as an HMAC secret.
var jwksAlgorithms = []string{"EdDSA", "ES256", "RS256", "PS256"}

const (
	maxPublishedKeys = 100
	minRSABits       = 2048
	maxRSABits       = 8192 // larger ones only cost time
)

// keySet holds published keys. Each stands under its one algorithm, so that a token
// cannot choose how a key is used.
type keySet struct {
	keys map[keyName]crypto.PublicKey
}

type keyName struct{ algorithm, id string }

// lookup returns the key of that id and algorithm; without an id, the only key of the algorithm.
func (r *keySet) lookup(algorithm, id string) (crypto.PublicKey, bool) {
	if key, ok := r.keys[keyName{algorithm, id}]; ok {
		return key, true
	}
	if id != "" {
		return nil, false
	}
	var only crypto.PublicKey
	for k, key := range r.keys {
		if k.algorithm == algorithm {
			if only != nil {
				return nil, false
			}
			only = key
		}
	}
	return only, only != nil
}

// hasID says whether some key has this id, whatever its algorithm.
func (r *keySet) hasID(id string) bool {
	return slices.ContainsFunc(jwksAlgorithms, func(algorithm string) bool {
		_, ok := r.keys[keyName{algorithm, id}]
		return ok
	})
}

var (
	errNotAKeySet   = errors.New("not a JWK set")
	errTooManyKeys  = errors.New("too many keys")
	errNoUsableKeys = errors.New("no usable keys")
)

// parseKeySet reads a JWK set (RFC 7517). Keys that we cannot use, such as those for
// encryption or of other algorithms, are passed over; a set without any usable one is an error.
func parseKeySet(body []byte) (*keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil {
		return nil, errNotAKeySet
	}
	if len(set.Keys) > maxPublishedKeys {
		return nil, errTooManyKeys
	}
	ring := &keySet{keys: make(map[keyName]crypto.PublicKey, len(set.Keys))}
	for _, raw := range set.Keys {
		// Private halves and symmetric keys, should someone publish them, are not read.
		jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		if algorithm, ok := pinnedAlgorithm(jwk); ok {
			ring.keys[keyName{algorithm, jwk.Marshal().KID}] = jwk.Key()
		}
	}
	if len(ring.keys) == 0 {
		return nil, errNoUsableKeys
	}
	return ring, nil
}

// pinnedAlgorithm is the one algorithm of a signing key: what its "alg" says, if its
// type allows that, and otherwise what its type implies.
func pinnedAlgorithm(jwk jwkset.JWK) (string, bool) {
	m := jwk.Marshal()
	if m.USE == jwkset.UseEnc || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return "", false
	}
	possible := possibleAlgorithms(jwk.Key())
	if m.ALG != "" {
		return m.ALG.String(), slices.Contains(possible, m.ALG.String())
	}
	if len(possible) == 0 {
		return "", false
	}
	return possible[0], true
}

// possibleAlgorithms lists what a key can verify, the usual one first.
func possibleAlgorithms(key any) []string {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return []string{"ES256"}
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			return []string{"RS256", "PS256"}
		}
	}
	return nil
}
