package auth

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// countingMethod counts the signatures that a signing method checks.
type countingMethod struct{ jwt.SigningMethod }

var signatureChecks atomic.Int64

func (m countingMethod) Verify(text string, signature []byte, key any) error {
	signatureChecks.Add(1)
	return m.SigningMethod.Verify(text, signature, key)
}

// checksOf returns the number of signatures that are checked while f runs.
func checksOf(f func()) int64 {
	before := signatureChecks.Load()
	f()
	return signatureChecks.Load() - before
}

// countSignatureChecks makes the parser check signatures with countingMethod until the test ends.
func countSignatureChecks(t testing.TB) {
	t.Helper()
	for _, alg := range append([]string{"HS256"}, jwksAlgorithms...) {
		method := jwt.GetSigningMethod(alg)
		jwt.RegisterSigningMethod(alg, func() jwt.SigningMethod { return countingMethod{method} })
		t.Cleanup(func() { jwt.RegisterSigningMethod(alg, func() jwt.SigningMethod { return method }) })
	}
}

// newCachedVerifier returns a verifier whose issuer publishes edKey as "ed".
func newCachedVerifier(t *testing.T, more environ) (*fakeIssuer, *fakeClock, *Service) {
	t.Helper()
	countSignatureChecks(t)
	i, c := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey())), newFakeClock()
	return i, c, i.newService(t, c, more)
}

func edToken(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	return sign(t, "EdDSA", edKey(), claimsWith(changes), kidHeader("ed"))
}

// refetch lets the service fetch the keys again, by a token that names an unknown key.
func refetch(t *testing.T, c *fakeClock, s *Service) {
	t.Helper()
	c.advance(recheckInterval)
	before := s.jwks.fetchCount()
	unknown := kidHeader("unknown " + strconv.Itoa(before))
	_, err := s.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", edKey(), validClaims(), unknown))
	require.Greater(t, s.jwks.fetchCount(), before)
	require.Equal(t, ReasonUnknownKey, ReasonOf(err))
}

func (c *jwksCache) fetchCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

func TestVerify_SameTokenAgain_SignatureCheckedOnceAMinute(t *testing.T) {
	countSignatureChecks(t)
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "ec", "ES256", ecKey()),
		publicJWK(t, "rs", "RS256", rsaKey()), publicJWK(t, "ps", "PS256", rsaKey()))
	for _, tc := range []struct {
		alg, kid string
		key      crypto.Signer
	}{
		{"EdDSA", "ed", edKey()},
		{"Ed25519", "ed", edKey()},
		{"ES256", "ec", ecKey()},
		{"RS256", "rs", rsaKey()},
		{"PS256", "ps", rsaKey()},
	} {
		c := newFakeClock()
		v := i.newService(t, c, nil).Verifier(GraphQL)
		token := sign(t, tc.alg, tc.key, validClaims(), kidHeader(tc.kid))
		verify := func() {
			for range 100 {
				claims, err := v.Verify(t.Context(), token)
				require.NoError(t, err, tc.alg)
				require.Equal(t, "u1", claims.Subject)
			}
		}
		require.EqualValues(t, 1, checksOf(verify), tc.alg)
		c.advance(signatureCacheTTL - time.Nanosecond)
		require.EqualValues(t, 0, checksOf(verify), tc.alg)
		c.advance(time.Nanosecond)
		require.EqualValues(t, 1, checksOf(verify), tc.alg)
	}
}

func TestVerify_SharedSecret_SignatureCheckedEachTime(t *testing.T) {
	countSignatureChecks(t)
	v := newTestService(t, newFakeClock(), environ{
		"BETTER_AUTH_SECRET": testSecret, "AUTH_ISSUER": testIssuer, "AUTH_AUDIENCE": testAudience,
	}).Verifier(GraphQL)
	token := sign(t, "HS256", []byte(testSecret), validClaims(), nil)
	require.EqualValues(t, 3, checksOf(func() {
		for range 3 {
			_, err := v.Verify(t.Context(), token)
			require.NoError(t, err)
		}
	}))
}

func TestVerify_CachedSignature_TimesCheckedEachTime(t *testing.T) {
	_, c, s := newCachedVerifier(t, environ{"AUTH_LEEWAY": "5s"})
	v := s.Verifier(GraphQL)
	token := edToken(t, jwt.MapClaims{"nbf": testStart.Unix(), "exp": testStart.Add(20 * time.Second).Unix()})
	accepted := func() { _, err := v.Verify(t.Context(), token); require.NoError(t, err) }
	require.EqualValues(t, 1, checksOf(accepted))
	require.EqualValues(t, 0, checksOf(accepted))

	c.advance(-6 * time.Second)
	requireRejected(t, v, token, ReasonNotYetValid)
	c.advance(26 * time.Second)
	require.EqualValues(
		t,
		2,
		checksOf(func() { accepted(); accepted() }),
		"an expired token is accepted within the leeway only",
	)
	c.advance(5 * time.Second)
	requireRejected(t, v, token, ReasonExpired)
}

func TestVerify_CachedSignature_AudienceAndPartyCheckedEachTime(t *testing.T) {
	_, _, s := newCachedVerifier(t, environ{"AUTH_MCP_AUDIENCE": "https://errand.example.com/mcp"})
	token := edToken(t, nil)
	require.EqualValues(t, 1, checksOf(func() {
		for range 3 {
			_, err := s.Verifier(GraphQL).Verify(t.Context(), token)
			require.NoError(t, err)
			requireRejected(t, s.Verifier(MCP), token, ReasonWrongAudience)
		}
	}))
}

// deletedUsers is a UserStore whose users are deleted after the first call.
type deletedUsers struct{ calls int }

func (u *deletedUsers) EnsureUser(context.Context, Claims) (string, error) {
	if u.calls++; u.calls > 1 {
		return "", unauthenticated(ReasonAccountDeleted)
	}
	return "user_1", nil
}

func TestAuthenticate_CachedSignature_AccountAndScopesCheckedEachTime(t *testing.T) {
	_, _, s := newCachedVerifier(t, environ{"AUTH_REQUIRE_SCOPES": "true"})
	users := &deletedUsers{}
	a := s.Authenticator(GraphQL, users)
	token := edToken(t, jwt.MapClaims{"scope": "tasks:read"})
	require.EqualValues(t, 1, checksOf(func() {
		ctx, _, _, err := a.Authenticate(t.Context(), token)
		require.NoError(t, err)
		got, _ := viewer.FromContext(ctx)
		require.Equal(t, viewer.Scopes("tasks:read"), got.Scopes)
		_, _, _, err = a.Authenticate(t.Context(), token)
		require.Equal(t, ReasonAccountDeleted, ReasonOf(err))
	}))

	unlimited := edToken(t, nil)
	for range 2 {
		_, _, _, err := a.Authenticate(t.Context(), unlimited)
		require.Equal(t, ReasonNoScopes, ReasonOf(err))
	}
}

func TestVerify_KeysFetchedAgain_SignatureCheckedAgain(t *testing.T) {
	_, c, s := newCachedVerifier(t, nil)
	token := edToken(t, nil)
	verify := func() { _, err := s.Verifier(GraphQL).Verify(t.Context(), token); require.NoError(t, err) }
	require.EqualValues(t, 1, checksOf(func() { verify(); verify() }))
	refetch(t, c, s)
	require.EqualValues(t, 1, checksOf(func() { verify(); verify() }))
}

func TestVerify_CachedTokenOfWithdrawnKey_Rejected(t *testing.T) {
	for name, published := range map[string]map[string]any{
		"key removed":                     publicJWK(t, "new", "EdDSA", newEdKey(t)),
		"key replaced under its ID":       publicJWK(t, "ed", "EdDSA", newEdKey(t)),
		"key replaced by one without ID":  jwkWith(publicJWK(t, "", "EdDSA", newEdKey(t)), map[string]any{"kid": nil}),
		"key pinned to another algorithm": publicJWK(t, "ed", "RS256", rsaKey()),
	} {
		i, c, s := newCachedVerifier(t, nil)
		token := edToken(t, nil)
		_, err := s.Verifier(GraphQL).Verify(t.Context(), token)
		require.NoError(t, err)
		i.publish(t, published)
		c.setTick(recheckInterval)
		_, err = s.Verifier(GraphQL).Verify(t.Context(), sign(t, "EdDSA", newEdKey(t), validClaims(), kidHeader("unknown")))
		require.Error(t, err)
		for range 2 {
			_, err = s.Verifier(GraphQL).Verify(t.Context(), token)
			require.NotEmpty(t, ReasonOf(err), name)
		}
	}
}

func TestVerify_ChangedCopyOfCachedToken_Rejected(t *testing.T) {
	_, c, s := newCachedVerifier(t, nil)
	v := s.Verifier(GraphQL)
	token := edToken(t, nil)
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)

	parts := strings.Split(token, ".")
	other, err := json.Marshal(claimsWith(jwt.MapClaims{"sub": "u2"}))
	require.NoError(t, err)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	signature[0] ^= 1
	for name, changed := range map[string]string{
		"other payload, same signature": parts[0] + "." + base64.RawURLEncoding.EncodeToString(other) + "." + parts[2],
		"same payload, other signature": parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature),
	} {
		for range 3 {
			c.advance(recheckInterval)
			require.Positive(t, checksOf(func() { requireRejected(t, v, changed, ReasonBadSignature, name) }), name)
		}
	}
	c.advance(recheckInterval)
	requireRejected(t, v, withOtherLastLetter(t, token), ReasonMalformed)
	requireRejected(t, v, parts[0]+"."+parts[1]+".", ReasonBadSignature)
}

func TestVerify_RejectedTokens_NotCached(t *testing.T) {
	_, c, s := newCachedVerifier(t, nil)
	v := s.Verifier(GraphQL)
	for reason, token := range map[Reason]string{
		ReasonBadSignature:  sign(t, "EdDSA", newEdKey(t), validClaims(), kidHeader("ed")),
		ReasonWrongAudience: edToken(t, jwt.MapClaims{"aud": "https://other.example.com"}),
		ReasonExpired:       edToken(t, jwt.MapClaims{"exp": testStart.Add(-time.Hour).Unix()}),
		ReasonNotYetValid:   edToken(t, jwt.MapClaims{"nbf": testStart.Add(time.Hour).Unix()}),
		ReasonMissingClaim:  edToken(t, jwt.MapClaims{"sub": nil}),
		ReasonBadClaim:      edToken(t, jwt.MapClaims{"scope": 1}),
		ReasonBadHeader:     sign(t, "EdDSA", edKey(), validClaims(), map[string]any{"kid": "ed", "crit": []string{"x"}}),
		ReasonBadAlgorithm:  sign(t, "RS256", rsaKey(), validClaims(), kidHeader("ed")),
	} {
		for range 2 {
			c.advance(recheckInterval)
			requireRejected(t, v, token, reason)
		}
		keys, err := s.jwks.get(t.Context())
		require.NoError(t, err)
		require.Zero(t, keys.verified.size(), reason)
	}
}

func (c *signatureCache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young) + len(c.old)
}

func TestSignatureCache_ManyTokens_MemoryBounded(t *testing.T) {
	var c signatureCache
	hash := func(n int) tokenHash { return hashToken(strconv.Itoa(n)) }
	for n := range 5*signatureCacheGeneration + 7 {
		c.add(hash(n), testStart, testStart.Add(time.Hour))
		require.LessOrEqual(t, c.size(), 2*signatureCacheGeneration)
		require.True(t, c.contains(hash(n), testStart), "the newest token is found")
	}
	require.False(t, c.contains(hash(0), testStart))

	// Entries that are no longer used leave the memory with the next two generations.
	for n := range 2 {
		now := testStart.Add(time.Duration(n+1) * signatureCacheTTL)
		c.add(hash(-1-n), now, now.Add(time.Hour))
	}
	require.Equal(t, 2, c.size())
}

func TestSignatureCache_ExpiredToken_NotAdded(t *testing.T) {
	var c signatureCache
	c.add(hashToken("a"), testStart, testStart)
	require.Zero(t, c.size())
}

// A token that is verified while its key is withdrawn must not be found among those of the next keys.
func TestVerify_ConcurrentWithRotation_WithdrawnKeyRejected(t *testing.T) {
	i, c, s := newCachedVerifier(t, nil)
	v := s.Verifier(GraphQL)
	tokens := make([]string, 8)
	for n := range tokens {
		tokens[n] = edToken(t, jwt.MapClaims{"sub": "u" + strconv.Itoa(n)})
	}
	var users sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for n := range tokens {
		users.Go(func() {
			for ctx.Err() == nil {
				claims, err := v.Verify(ctx, tokens[n])
				if err == nil && claims.Subject != "u"+strconv.Itoa(n) {
					t.Error("claims of another token: " + claims.Subject)
				}
			}
		})
	}
	for range 5 {
		refetch(t, c, s)
	}
	i.publish(t, publicJWK(t, "new", "EdDSA", newEdKey(t)))
	refetch(t, c, s)
	stop() // some wait for a fetch, by a clock that stands still
	users.Wait()
	c.setTick(recheckInterval)
	for _, token := range tokens {
		requireRejected(t, v, token, ReasonUnknownKey)
	}
}

// A cached signature must cost no more than a shared secret.
func TestVerify_CachedSignature_AllocatesLikeSharedSecret(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	allocations := func(v Verifier, token string) float64 {
		return testing.AllocsPerRun(100, func() {
			_, err := v.Verify(context.Background(), token)
			require.NoError(t, err)
		})
	}
	secret := allocations(secretVerifier(t), sign(t, "HS256", []byte(testSecret), validClaims(), nil))
	cached := allocations(i.newService(t, newFakeClock(), nil).Verifier(GraphQL), edToken(t, nil))
	require.LessOrEqual(t, cached, secret)
}

func secretVerifier(t testing.TB) Verifier {
	t.Helper()
	return newJWTVerifier(tokenRules{
		algorithms: secretAlgorithms, issuer: testIssuer, audience: []string{testAudience},
		now: func() time.Time { return testStart },
	}, secretKey(testSecret))
}

// BenchmarkVerify compares the costs of a token whose signature is cached, one whose signature is checked, and one of
// a shared secret.
func BenchmarkVerify(b *testing.B) {
	keys := &keySet{keys: []publishedKey{{id: "ed", algorithms: []string{algEdDSA}, key: edKey().Public()}}}
	now := func() time.Time { return testStart }
	rules := tokenRules{algorithms: jwksAlgorithms, issuer: testIssuer, audience: []string{testAudience}, now: now}
	t := &testing.T{}
	ed := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))
	hs := sign(t, "HS256", []byte(testSecret), validClaims(), nil)
	for _, bc := range []struct {
		name  string
		v     Verifier
		token string
	}{
		{"EdDSA cached", newJWTVerifier(rules, fixedKeys{keys, true}), ed},
		{"EdDSA checked", newJWTVerifier(rules, fixedKeys{keys, false}), ed},
		{"HS256", secretVerifier(b), hs},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bc.v.Verify(context.Background(), bc.token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fixedKeys is a keySource that never changes.
type fixedKeys struct {
	set    *keySet
	cached bool
}

func (k fixedKeys) find(_ context.Context, algorithm, id string) (candidates, error) {
	c := candidates{keys: k.set.candidates(algorithm, id)}
	if k.cached {
		c.verified = &k.set.verified
	}
	return c, nil
}

func (fixedKeys) findOther(context.Context, string, string, []crypto.PublicKey) candidates {
	return candidates{}
}
