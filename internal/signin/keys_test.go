package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// Replicas that start at once agree on the issuer and the key.
func TestIssuer_FirstUseByManyReplicas_CreatesOne(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		var replicas []*environment
		for range 3 {
			replicas = append(replicas, newEnvironment(t, openDatabase(t, url)))
		}
		issuers := make([]string, 9)
		errs := concurrently(len(issuers), func(i int) (err error) {
			issuers[i], err = replicas[i%len(replicas)].Issuer(context.Background())
			return err
		})
		require.Equal(t, len(issuers), succeeded(errs), "%v", errs)
		for _, issuer := range issuers {
			require.Equal(t, issuers[0], issuer)
		}
		require.Regexp(t, `^urn:errand:[a-z2-7]{26}$`, issuers[0])
		require.Equal(t, 1, replicas[0].client.SignInKey.Query().CountX(asSystem(t.Context())))

		s := replicas[0].setUp(t)
		_, err := replicas[1].verify(t, s)
		require.NoError(t, err)
		sealed, err := replicas[0].Seal(t.Context(), "a", []byte("text"))
		require.NoError(t, err)
		text, err := replicas[2].Unseal(t.Context(), "a", sealed)
		require.NoError(t, err)
		require.Equal(t, "text", string(text))
	})
}

func TestRotateKey_TokensOfOldKey_StayValid(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		e, other := newEnvironment(t, openDatabase(t, url)), newEnvironment(t, openDatabase(t, url))
		s := e.setUp(t)
		_, err := other.verify(t, s)
		require.NoError(t, err)
		e.pass(keyLifetime - time.Minute)
		other.pass(keyLifetime - time.Minute)
		require.NoError(t, e.PurgeShared(t.Context()))
		require.Len(t, publishedKeys(t, e), 1)
		e.pass(2 * time.Minute)
		other.pass(2 * time.Minute)
		old, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		require.NoError(t, e.PurgeShared(t.Context()))
		require.Len(t, publishedKeys(t, e), 2)
		renewed, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		require.NotEqual(t, strings.Split(old.AccessToken, ".")[0], strings.Split(renewed.AccessToken, ".")[0])
		for _, session := range []*Session{old, renewed} {
			for _, replica := range []*environment{e, other} {
				_, err := replica.verify(t, session)
				require.NoError(t, err, "another replica reads the new key")
			}
		}
		e.pass(keyOverlap + keysTTL)
		require.Len(t, publishedKeys(t, e), 1)
		e.pass(keyRetention)
		require.NoError(t, e.PurgeShared(t.Context()))
		require.Equal(t, 1, e.client.SignInKey.Query().CountX(asSystem(t.Context())))
	})
}

func publishedKeys(t *testing.T, e *environment) []string {
	t.Helper()
	text, err := e.JWKS(t.Context())
	require.NoError(t, err)
	var document struct {
		Keys []map[string]string `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(text, &document))
	var ids []string
	for _, key := range document.Keys {
		require.Equal(t, []string{"OKP", "Ed25519", "EdDSA", "sig"}, []string{key["kty"], key["crv"], key["alg"], key["use"]})
		require.NotContains(t, key, "d")
		ids = append(ids, key["kid"])
	}
	return ids
}

func TestVerifier_ForgedTokens_AreRejected(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		parts := strings.Split(s.AccessToken, ".")
		header := func(kid, alg string) string {
			return encode(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"at+jwt"}`, alg, kid))
		}
		kid := publishedKeys(t, e)[0]
		claims, err := decode(parts[1])
		require.NoError(t, err)
		expiry := strings.Replace(string(claims), `"exp":1`, `"exp":2`, 1)
		issuer, err := e.Issuer(t.Context())
		require.NoError(t, err)
		v := e.Verifier(issuer, 0)
		for name, token := range map[string]string{
			"other key":   header("key_x", "EdDSA") + "." + parts[1] + "." + parts[2],
			"other claim": parts[0] + "." + encode([]byte(expiry)) + "." + parts[2],
			"none":        header(kid, "none") + "." + parts[1] + ".",
			"HS256":       header(kid, "HS256") + "." + parts[1] + "." + parts[2],
			"truncated":   s.AccessToken[:len(s.AccessToken)-2],
		} {
			_, err := v.Verify(t.Context(), token)
			require.NotEmpty(t, auth.ReasonOf(err), name)
			requireCode(t, apperr.Unauthenticated, err, name)
		}
		_, err = v.Verify(t.Context(), s.AccessToken)
		require.NoError(t, err)
		other := newEnvironment(t, testdb.SQLite(t))
		other.setUp(t)
		_, err = other.Verifier(issuer, 0).Verify(t.Context(), s.AccessToken)
		requireCode(t, apperr.Unauthenticated, err, "of another database")
	})
}

func TestUnseal_OtherPurposeOrText_IsRejected(t *testing.T) {
	e := newEnvironment(t, testdb.SQLite(t))
	sealed, err := e.Seal(t.Context(), "a", []byte("text"))
	require.NoError(t, err)
	for _, c := range [][2]string{{"b", sealed}, {"a", ""}, {"a", sealed[1:]}, {"a", sealed + "A"}, {"a", "!"}} {
		_, err := e.Unseal(t.Context(), c[0], c[1])
		requireCode(t, apperr.Unauthenticated, err, c)
	}
}
