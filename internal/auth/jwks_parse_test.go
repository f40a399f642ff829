package auth

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
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
	ed, rs := publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "rs", "RS256", rsaKey())

	unusable := map[string]any{
		"symmetric":          m{"kty": "oct", "kid": "k", "alg": "HS256", "k": base64url("0123456789abcdef0123456789abcdef")},
		"for encryption":     jwkWith(rs, m{"use": "enc"}),
		"for signing only":   jwkWith(rs, m{"key_ops": []string{"sign"}}),
		"alg of other type":  jwkWith(rs, m{"alg": "EdDSA"}),
		"HS256 on RSA":       jwkWith(rs, m{"alg": "HS256"}),
		"none on RSA":        jwkWith(rs, m{"alg": "none"}),
		"alg of other curve": publicJWK(t, "p384", "ES256", p384Key()),
		"secp256k1":          jwkWith(publicJWK(t, "ec", "", ecKey()), m{"crv": "secp256k1"}),
		"not on the curve":   jwkWith(publicJWK(t, "ec", "", ecKey()), m{"x": base64url(strings.Repeat("x", 32))}),
		"other key type":     m{"kty": "AKP", "kid": "k", "alg": "ML-DSA-44", "pub": "AAAA"},
		"other use":          jwkWith(rs, m{"use": "tls"}),
		"operations a text":  jwkWith(rs, m{"key_ops": "verify"}),
		"long ID":            jwkWith(rs, m{"kid": strings.Repeat("k", 256)}),
		"Ed448":              jwkWith(ed, m{"crv": "Ed448"}),
		"X25519":             jwkWith(ed, m{"crv": "X25519", "alg": ""}),
		"short":              jwkWith(ed, m{"x": "AAAA"}),
		"small RSA":          jwkWith(rs, m{"n": modulusOf(1024)}),
		"huge RSA":           jwkWith(rs, m{"n": modulusOf(16384)}),
		"kid a number":       jwkWith(ed, m{"kid": 7}),
		"not an object":      "key",
		"null":               nil,
	}
	for name, key := range unusable {
		_, err := parseKeySetOf(t, key)
		require.ErrorIs(t, err, errNoUsableKeys, name)
		ring, err := parseKeySetOf(t, key, ed)
		require.NoError(t, err, name)
		require.Len(t, ring.keys, 1, name)
		require.Len(t, ring.skipped, 1, name)
		require.NotEmpty(t, ring.skipped[0].Reason, name)
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
		require.Equal(t, []crypto.PublicKey{want.Public()}, ring.candidates(algorithm, "1"))
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
	require.Equal(t, []crypto.PublicKey{rsaKey().Public()}, ring.candidates("RS256", "rs"))
}

// The members of a key in the field: certificates that do not match (Auth0, WorkOS), extensions, other operations.
func TestParseKeySet_FieldVariants_Used(t *testing.T) {
	type m = map[string]any
	ec, rs := publicJWK(t, "ec", "ES256", ecKey()), publicJWK(t, "rs", "", rsaKey())
	for name, key := range map[string]m{
		"certificate of another key": jwkWith(rs, m{"x5c": []string{"MIIB"}, "x5t": "AAAA", "x5t#S256": "AAAA", "x5u": "x"}),
		"certificate not a list":     jwkWith(rs, m{"x5c": "MIIB", "x5t": 7, "X5C": m{}}),
		"no use":                     without(ec, "use"),
		"null members":               jwkWith(ec, m{"use": nil, "key_ops": nil, "alg": nil}),
		"extractable":                jwkWith(ec, m{"ext": true, "key_ops": []string{"verify", "other"}}),
		"padded numbers":             jwkWith(rs, m{"n": rs["n"].(string) + "=="}),
		"members in capitals":        jwkWith(rs, m{"KID": "x", "USE": "enc", "Alg": "none"}),
		"issuer of the key":          jwkWith(rs, m{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "iat": 7}),
	} {
		set, err := parseKeySetOf(t, key)
		require.NoError(t, err, name)
		require.Empty(t, set.skipped, name)
		require.Len(t, set.keys, 1, name)
		require.Equal(t, key["kid"], set.keys[0].id, name)
	}
	set, err := parseKeySet([]byte("\xef\xbb\xbf" + `{"keys":[` + string(mustJSON(t, ec)) + `]}` + "\r\n"))
	require.NoError(t, err)
	require.Len(t, set.keys, 1, "byte order mark")
}

func without(key map[string]any, member string) map[string]any {
	key = maps.Clone(key)
	delete(key, member)
	return key
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}
