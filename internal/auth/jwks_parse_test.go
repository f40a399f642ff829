package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func base64url(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func parseKeySetOf(t *testing.T, keys ...any) (*keySet, error) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return parseKeySet(body)
}

// jwkWith returns a JWK with some members replaced.
func jwkWith(key, members map[string]any) map[string]any {
	key = maps.Clone(key)
	maps.Copy(key, members)
	return key
}

func TestParseKeySet_UnusableKeys_Skipped(t *testing.T) {
	type m = map[string]any
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	ed, rs := publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "rs", "RS256", rsaKey())

	unusable := map[string]any{
		"symmetric":         m{"kty": "oct", "kid": "k", "alg": "HS256", "k": base64url("0123456789abcdef0123456789abcdef")},
		"for encryption":    jwkWith(rs, m{"use": "enc"}),
		"for signing only":  jwkWith(rs, m{"key_ops": []string{"sign"}}),
		"alg of other type": jwkWith(rs, m{"alg": "EdDSA"}),
		"HS256 on RSA":      jwkWith(rs, m{"alg": "HS256"}),
		"none on RSA":       jwkWith(rs, m{"alg": "none"}),
		"RS512":             jwkWith(rs, m{"alg": "RS512"}),
		"other curve":       publicJWK(t, "p384", "", p384),
		"Ed448":             jwkWith(ed, m{"crv": "Ed448"}),
		"X25519":            jwkWith(ed, m{"crv": "X25519", "alg": ""}),
		"short":             jwkWith(ed, m{"x": "AAAA"}),
		"small RSA":         jwkWith(rs, m{"n": modulusOf(1024)}),
		"huge RSA":          jwkWith(rs, m{"n": modulusOf(16384)}),
		"kid a number":      jwkWith(ed, m{"kid": 7}),
		"not an object":     "key",
		"null":              nil,
	}
	for name, key := range unusable {
		_, err := parseKeySetOf(t, key)
		require.ErrorIs(t, err, errNoUsableKeys, name)
		ring, err := parseKeySetOf(t, key, ed)
		require.NoError(t, err, name)
		require.Len(t, ring.keys, 1, name)
	}
}

// modulusOf returns an encoded number of this many bits. It is not a usable RSA modulus.
func modulusOf(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return base64.RawURLEncoding.EncodeToString(n.Bytes())
}

func TestParseKeySet_NotASetOrTooManyKeys_Error(t *testing.T) {
	_, err := parseKeySet([]byte("[]"))
	require.ErrorIs(t, err, errNotAKeySet)
	many := make([]any, maxPublishedKeys+1)
	for n := range many {
		many[n] = publicJWK(t, "ed", "EdDSA", edKey())
	}
	_, err = parseKeySetOf(t, many...)
	require.ErrorIs(t, err, errTooManyKeys)
}

// Keys of different types may have the same ID (RFC 7517 section 4.5).
func TestParseKeySet_SameIDForTwoTypes_BothFound(t *testing.T) {
	ring, err := parseKeySetOf(t, publicJWK(t, "1", "EdDSA", edKey()), publicJWK(t, "1", "RS256", rsaKey()))
	require.NoError(t, err)
	for algorithm, want := range map[string]crypto.Signer{"EdDSA": edKey(), "RS256": rsaKey()} {
		got, ok := ring.lookup(algorithm, "1")
		require.True(t, ok)
		require.Equal(t, want.Public(), got)
	}
	require.True(t, ring.hasID("1"))
	require.False(t, ring.hasID("2"))
}

// A private key that is published by mistake is not kept in memory.
func TestParseKeySet_PrivateKey_OnlyPublicKeyKept(t *testing.T) {
	private := jwkWith(publicJWK(t, "rs", "RS256", rsaKey()), map[string]any{
		"d": base64.RawURLEncoding.EncodeToString(rsaKey().(*rsa.PrivateKey).D.Bytes()),
	})
	ring, err := parseKeySetOf(t, private)
	require.NoError(t, err)
	key, ok := ring.lookup("RS256", "rs")
	require.True(t, ok)
	require.IsType(t, &rsa.PublicKey{}, key)
}
