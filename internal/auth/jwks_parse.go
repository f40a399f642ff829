package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// jwksAlgorithms are the signature algorithms accepted for published keys. They are asymmetric only, so that
// a public key is never used as an HMAC secret.
var jwksAlgorithms = []string{"EdDSA", "ES256", "RS256", "PS256"}

const (
	maxPublishedKeys = 100
	minRSABits       = 2048
	maxRSABits       = 8192 // larger keys make verification slow
)

// keySet holds published keys. Each key is stored under one algorithm, so that a token cannot choose how
// a key is used.
type keySet struct {
	keys map[keyName]crypto.PublicKey
}

type keyName struct{ algorithm, id string }

// lookup returns the key with this algorithm and ID. Without an ID it returns the only key of the algorithm.
func (s *keySet) lookup(algorithm, id string) (crypto.PublicKey, bool) {
	if key, ok := s.keys[keyName{algorithm, id}]; ok {
		return key, true
	}
	if id != "" {
		return nil, false
	}
	var only crypto.PublicKey
	for k, key := range s.keys {
		if k.algorithm == algorithm {
			if only != nil {
				return nil, false
			}
			only = key
		}
	}
	return only, only != nil
}

// hasID reports whether a key of any algorithm has this ID.
func (s *keySet) hasID(id string) bool {
	return slices.ContainsFunc(jwksAlgorithms, func(algorithm string) bool {
		_, ok := s.keys[keyName{algorithm, id}]
		return ok
	})
}

var (
	errNotAKeySet   = errors.New("not a JWK set")
	errTooManyKeys  = fmt.Errorf("more than %d keys", maxPublishedKeys)
	errNoUsableKeys = errors.New("no usable keys")
)

// parseKeySet parses a JWK set (RFC 7517). It skips keys that cannot verify tokens, such as encryption keys and
// keys of other algorithms. A set without a usable key is an error.
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
	keys := &keySet{keys: make(map[keyName]crypto.PublicKey, len(set.Keys))}
	for _, raw := range set.Keys {
		// Without JWKMarshalOptions.Private, private and symmetric keys are not read, should they be published.
		jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		if algorithm, ok := pinnedAlgorithm(jwk); ok {
			keys.keys[keyName{algorithm, jwk.Marshal().KID}] = jwk.Key()
		}
	}
	if len(keys.keys) == 0 {
		return nil, errNoUsableKeys
	}
	return keys, nil
}

// pinnedAlgorithm returns the only algorithm that a key may verify: its "alg" if the key's type supports that,
// or the usual algorithm of its type if it has no "alg". ok is false for keys that are not used.
func pinnedAlgorithm(jwk jwkset.JWK) (algorithm string, ok bool) {
	m := jwk.Marshal()
	if m.USE == jwkset.UseEnc || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return "", false
	}
	supported := supportedAlgorithms(jwk.Key())
	if m.ALG != "" {
		return m.ALG.String(), slices.Contains(supported, m.ALG.String())
	}
	if len(supported) == 0 {
		return "", false
	}
	return supported[0], true
}

// supportedAlgorithms returns the accepted algorithms of a key's type, the usual one first.
func supportedAlgorithms(key any) []string {
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
