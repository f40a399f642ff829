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

func parseKeys(t *testing.T, keys ...any) (*keySet, error) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	return parseKeySet(body)
}

// changed is a key with some members replaced.
func changed(key, members map[string]any) map[string]any {
	key = maps.Clone(key)
	maps.Copy(key, members)
	return key
}

func TestKeysWeCannotUseArePassedOver(t *testing.T) {
	type m = map[string]any
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	ed, rs := jwk(t, "ed", "EdDSA", edKey()), jwk(t, "rs", "RS256", rsaKey())

	unusable := map[string]any{
		"symmetric":         m{"kty": "oct", "kid": "k", "alg": "HS256", "k": base64url("0123456789abcdef0123456789abcdef")},
		"for encryption":    changed(rs, m{"use": "enc"}),
		"for signing only":  changed(rs, m{"key_ops": []string{"sign"}}),
		"alg of other type": changed(rs, m{"alg": "EdDSA"}),
		"HS256 on RSA":      changed(rs, m{"alg": "HS256"}),
		"none on RSA":       changed(rs, m{"alg": "none"}),
		"RS512":             changed(rs, m{"alg": "RS512"}),
		"other curve":       jwk(t, "p384", "", p384),
		"Ed448":             changed(ed, m{"crv": "Ed448"}),
		"X25519":            changed(ed, m{"crv": "X25519", "alg": ""}),
		"short":             changed(ed, m{"x": "AAAA"}),
		"small RSA":         changed(rs, m{"n": smallModulus(1024)}),
		"huge RSA":          changed(rs, m{"n": smallModulus(16384)}),
		"kid a number":      changed(ed, m{"kid": 7}),
		"not an object":     "key",
		"null":              nil,
	}
	for name, key := range unusable {
		_, err := parseKeys(t, key)
		require.ErrorIs(t, err, errNoUsableKeys, name)
		ring, err := parseKeys(t, key, ed)
		require.NoError(t, err, name)
		require.Len(t, ring.keys, 1, name)
	}
}

// smallModulus is a number of that many bits; nobody will sign with it.
func smallModulus(bits int) string {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return base64.RawURLEncoding.EncodeToString(n.Bytes())
}

func TestKeySetBounds(t *testing.T) {
	_, err := parseKeySet([]byte("[]"))
	require.ErrorIs(t, err, errNotAKeySet)
	many := make([]any, maxPublishedKeys+1)
	for n := range many {
		many[n] = jwk(t, "ed", "EdDSA", edKey())
	}
	_, err = parseKeys(t, many...)
	require.ErrorIs(t, err, errTooManyKeys)
}

// One id may name keys of several types (RFC 7517 section 4.5).
func TestSameKeyIDForTwoTypes(t *testing.T) {
	ring, err := parseKeys(t, jwk(t, "1", "EdDSA", edKey()), jwk(t, "1", "RS256", rsaKey()))
	require.NoError(t, err)
	for algorithm, want := range map[string]crypto.Signer{"EdDSA": edKey(), "RS256": rsaKey()} {
		got, ok := ring.lookup(algorithm, "1")
		require.True(t, ok)
		require.Equal(t, want.Public(), got)
	}
	require.True(t, ring.hasID("1"))
	require.False(t, ring.hasID("2"))
}

// A private key that somebody publishes by mistake is not kept in memory.
func TestPrivateHalvesAreNotRead(t *testing.T) {
	private := changed(jwk(t, "rs", "RS256", rsaKey()), map[string]any{
		"d": base64.RawURLEncoding.EncodeToString(rsaKey().(*rsa.PrivateKey).D.Bytes()),
	})
	ring, err := parseKeys(t, private)
	require.NoError(t, err)
	key, ok := ring.lookup("RS256", "rs")
	require.True(t, ok)
	require.IsType(t, &rsa.PublicKey{}, key)
}
