package auth

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"errand/internal/auth/bearer"
	"errand/internal/viewer"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestVerify_AcceptedAlgorithms_ReturnsClaims(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "ec", "ES256", ecKey()),
		publicJWK(t, "rs", "RS256", rsaKey()), publicJWK(t, "ps", "PS256", rsaKey()),
		publicJWK(t, "bare-ec", "", ecKey()), publicJWK(t, "bare-rsa", "", rsaKey()),
		jwkWith(publicJWK(t, "ed2", "EdDSA", edKey()), map[string]any{"alg": "Ed25519"}),
		publicJWK(t, "p384", "", p384Key()), publicJWK(t, "p521", "ES512", p521Key()),
		publicJWK(t, "rs512", "RS512", rsaKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)

	for _, tc := range []struct {
		alg, kid string
		key      any
	}{
		{"EdDSA", "ed", edKey()},
		{"ES256", "ec", ecKey()},
		{"RS256", "rs", rsaKey()},
		{"PS256", "ps", rsaKey()},
		{"ES256", "bare-ec", ecKey()},
		{"RS256", "bare-rsa", rsaKey()},
		{"PS256", "bare-rsa", rsaKey()},
		{"Ed25519", "ed", edKey()},
		{"Ed25519", "ed2", edKey()},
		{"EdDSA", "ed2", edKey()},
		{"ES384", "p384", p384Key()},
		{"ES512", "p521", p521Key()},
		{"RS512", "rs512", rsaKey()},
	} {
		claims, err := v.Verify(t.Context(), sign(t, tc.alg, tc.key, validClaims(), kidHeader(tc.kid)))
		require.NoError(t, err, tc.kid)
		require.Equal(t, Claims{
			Subject: "u1", Name: "Ada", Email: "ada@example.com", Issuer: testIssuer,
			IssuedAt: testStart, ExpiresAt: testStart.Add(15 * time.Minute),
		}, claims)
	}
	require.EqualValues(t, 1, i.fetches.Load())
}

func TestVerify_OtherAlgorithmThanKey_Rejected(t *testing.T) {
	i := newFakeIssuer(
		t,
		publicJWK(t, "ed", "EdDSA", edKey()),
		publicJWK(t, "rs", "RS256", rsaKey()),
		publicJWK(t, "bare-rsa", "", rsaKey()),
	)
	v := i.newService(t, newTickingClock(), nil).Verifier(GraphQL)

	der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	other := newEdKey(t)

	token := func(alg string, key any, header map[string]any) string {
		return sign(t, alg, key, validClaims(), header)
	}
	rs := func(alg any) map[string]any { return map[string]any{"kid": "rs", "alg": alg} }
	unsigned := jwt.UnsafeAllowNoneSignatureType

	for name, tc := range map[string]struct {
		token  string
		reason Reason
	}{
		"HS256 keyed with the public PEM": {token("HS256", publicPEM, kidHeader("rs")), ReasonBadAlgorithm},
		"HS256 keyed with the public DER": {token("HS256", der, kidHeader("rs")), ReasonBadAlgorithm},
		"none":                            {token("none", unsigned, kidHeader("rs")), ReasonBadAlgorithm},
		"none in mixed case":              {token("none", unsigned, map[string]any{"alg": "nOnE"}), ReasonBadAlgorithm},
		"PS256 with an RS256 key":         {token("PS256", rsaKey(), kidHeader("rs")), ReasonBadAlgorithm},
		"RS512 with a key without alg":    {token("RS512", rsaKey(), kidHeader("bare-rsa")), ReasonBadAlgorithm},
		"RS512":                           {token("RS512", rsaKey(), kidHeader("rs")), ReasonBadAlgorithm},
		"ES256 with the RSA key's ID":     {token("ES256", ecKey(), kidHeader("rs")), ReasonBadAlgorithm},
		"EdDSA with another key":          {token("EdDSA", other, kidHeader("ed")), ReasonBadSignature},
		"EdDSA with the RSA key's ID":     {token("EdDSA", edKey(), kidHeader("rs")), ReasonBadAlgorithm},
		"RS256 signature, EdDSA claimed": {
			token("RS256", rsaKey(), map[string]any{"kid": "ed", "alg": "EdDSA"}),
			ReasonBadSignature,
		},
		"alg missing": {token("RS256", rsaKey(), rs(nil)), ReasonBadAlgorithm},
		"unknown alg": {token("RS256", rsaKey(), rs("XX")), ReasonBadAlgorithm},
		"key in the header": {token("EdDSA", other, map[string]any{
			"kid": "evil", "jwk": publicJWK(t, "evil", "EdDSA", other), "jku": "https://evil.example",
		}), ReasonUnknownKey},
	} {
		requireRejected(t, v, tc.token, tc.reason, name)
	}
}

func TestVerify_HeaderFields_Checked(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)
	header := func(more map[string]any) string {
		more["kid"] = "ed"
		return sign(t, "EdDSA", edKey(), validClaims(), more)
	}
	for _, typ := range []any{
		nil, "JWT", "jwt", "at+jwt", "at+JWT", "AT+JWT", "application/at+jwt", "application/JWT", "Application/At+Jwt",
		"JOSE", "application/jose", "application/jwt; charset=utf-8",
	} {
		_, err := v.Verify(t.Context(), header(map[string]any{"typ": typ}))
		require.NoError(t, err, typ)
	}
	for _, typ := range []any{
		"logout+jwt", "", "application/", "id+jwt", "secevent+jwt", "application/application/jwt", "text/jwt", "jwt/jwt",
		"dpop+jwt", 7,
	} {
		requireRejected(t, v, header(map[string]any{"typ": typ}), ReasonBadHeader, typ)
	}
	requireRejected(t, v, header(map[string]any{"typ": []string{"JWT"}}), ReasonBadHeader)
	requireRejected(t, v, header(map[string]any{"crit": []string{"exp"}}), ReasonBadHeader)
	requireRejected(t, v, sign(t, "EdDSA", edKey(), validClaims(), map[string]any{"kid": 7}), ReasonBadHeader)
	requireRejected(t, v, sign(t, "EdDSA", edKey(), validClaims(), kidHeader(strings.Repeat("k", 256))), ReasonBadHeader)
	require.EqualValues(t, 1, i.fetches.Load())
}

// A key ID is a hint (RFC 7515 section 4.1.4): some issuers set none, in tokens or in keys, also while they rotate.
func TestVerify_NoKeyID_KeysOfAlgorithmTried(t *testing.T) {
	second := newRSAKey(t)
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()), publicJWK(t, "r1", "RS256", rsaKey()),
		publicJWK(t, "", "RS256", second), publicJWK(t, "r3", "PS256", newRSAKey(t)))
	v := i.newService(t, newTickingClock(), nil).Verifier(GraphQL)
	for _, token := range []string{
		sign(t, "EdDSA", edKey(), validClaims(), nil),
		sign(t, "RS256", rsaKey(), validClaims(), nil),
		sign(t, "RS256", second, validClaims(), nil),
		sign(t, "RS256", second, validClaims(), kidHeader("a key without an ID matches")),
	} {
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, i.fetches.Load())
	requireRejected(t, v, sign(t, "ES256", ecKey(), validClaims(), nil), ReasonUnknownKey)
	requireRejected(
		t,
		v,
		sign(t, "PS256", rsaKey(), validClaims(), nil),
		ReasonBadSignature,
		"the PS256 key alone is tried",
	)
}

// Two keys under one ID are both tried, each with its own algorithm only.
func TestVerify_DuplicateKeyID_EachKeyTried(t *testing.T) {
	second := newRSAKey(t)
	i := newFakeIssuer(t, publicJWK(t, "1", "RS256", rsaKey()), publicJWK(t, "1", "RS256", second),
		publicJWK(t, "1", "PS256", newRSAKey(t)))
	v := i.newService(t, newTickingClock(), nil).Verifier(GraphQL)
	for _, key := range []crypto.Signer{rsaKey(), second} {
		_, err := v.Verify(t.Context(), sign(t, "RS256", key, validClaims(), kidHeader("1")))
		require.NoError(t, err)
	}
	requireRejected(t, v, sign(t, "PS256", second, validClaims(), kidHeader("1")), ReasonBadSignature)
}

func TestVerify_InvalidClaims_Rejected(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)
	type m = jwt.MapClaims
	for name, tc := range map[string]struct {
		claims m
		reason Reason
	}{
		"wrong issuer":        {claimsWith(m{"iss": "https://app.example.com/"}), ReasonWrongIssuer},
		"no issuer":           {claimsWith(m{"iss": nil}), ReasonMissingClaim},
		"wrong audience":      {claimsWith(m{"aud": "https://other.example.com"}), ReasonWrongAudience},
		"no audience":         {claimsWith(m{"aud": nil}), ReasonMissingClaim},
		"empty audience":      {claimsWith(m{"aud": []string{}}), ReasonMissingClaim},
		"no expiry":           {claimsWith(m{"exp": nil}), ReasonMissingClaim},
		"expiry as text":      {claimsWith(m{"exp": "tomorrow"}), ReasonBadClaim},
		"expiry beyond time":  {claimsWith(m{"exp": 1e18}), ReasonBadClaim},
		"no subject":          {claimsWith(m{"sub": nil}), ReasonMissingClaim},
		"subject in capitals": {claimsWith(m{"sub": nil, "SUB": "u1"}), ReasonMissingClaim},
		"empty subject":       {claimsWith(m{"sub": ""}), ReasonBadClaim},
		"subject a number":    {claimsWith(m{"sub": 7}), ReasonBadClaim},
		"blank around":        {claimsWith(m{"sub": " u1"}), ReasonBadClaim},
		"line break":          {claimsWith(m{"sub": "u1\nadmin"}), ReasonBadClaim},
		"zero width":          {claimsWith(m{"sub": "u1\u200b"}), ReasonBadClaim},
		"right to left":       {claimsWith(m{"sub": "u1\u202e"}), ReasonBadClaim},
		"huge subject":        {claimsWith(m{"sub": strings.Repeat("s", MaxSubjectBytes+1)}), ReasonBadClaim},
		"issuer an object":    {claimsWith(m{"iss": m{"a": 1}}), ReasonBadClaim},
		"scope a number":      {claimsWith(m{"scope": 1}), ReasonBadClaim},
		"scp of numbers":      {claimsWith(m{"scp": []int{1}}), ReasonBadClaim},
		"issued as text":      {claimsWith(m{"iat": "now"}), ReasonBadClaim},
		"huge claims":         {claimsWith(m{"extra": strings.Repeat("x", bearer.MaxBytes)}), ReasonTooLong},
	} {
		requireRejected(t, v, sign(t, "EdDSA", edKey(), tc.claims, kidHeader("ed")), tc.reason, name)
	}
}

func TestVerify_ValidClaims_Accepted(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)
	type m = jwt.MapClaims
	verify := func(claims m) Claims {
		got, err := v.Verify(t.Context(), sign(t, "EdDSA", edKey(), claims, kidHeader("ed")))
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "u1", verify(claimsWith(m{"aud": []string{"x", testAudience}})).Subject)
	require.Equal(t, "auth0|José 7", verify(claimsWith(m{"sub": "auth0|José 7"})).Subject)
	require.Len(t, verify(claimsWith(m{"sub": strings.Repeat("s", MaxSubjectBytes)})).Subject, MaxSubjectBytes)
	require.Empty(t, verify(claimsWith(m{"name": nil, "email": nil})).Name)
	require.Equal(t, "Ada L", verify(claimsWith(m{"name": " Ada\x00\n L "})).Name)
	for _, c := range []struct {
		claims m
		want   viewer.Scopes
	}{
		{m{}, ""},
		{m{"scope": "openid profile tasks:admin TASKS:READ"}, ""},
		{m{"scope": "chat openid  tasks:read chat"}, "tasks:read chat"},
		{m{"scope": []string{"account"}}, "account"},
		{m{"scp": []string{"tasks:write", "x"}}, "tasks:write"},
		{m{"scp": "chat"}, "chat"},
		{m{"scope": "openid", "scp": []string{"chat"}}, "chat"},
		{m{"scope": "tasks:read", "scp": "chat", "permissions": []string{"tasks:write"}}, "tasks:read"},
		{m{"scope": "openid", "permissions": []string{"tasks:read", "reports:read"}}, "tasks:read"},
		{m{"permissions": m{"tasks": true}}, ""},
	} {
		require.Equal(t, c.want, verify(claimsWith(c.claims)).Scopes, "%v", c.claims)
	}
	for name, odd := range map[string]any{
		"number": 7, "list": []any{"Ada"}, "object": m{"first": "Ada"}, "true": true, "too long": strings.Repeat("e", 400),
		"damaged": "Ad\ufffda", "blank": " \t", "bidi": "\u202e",
	} {
		got := verify(claimsWith(m{"name": odd, "email": odd}))
		require.Empty(t, got.Name+got.Email, name)
		require.Equal(t, "u1", got.Subject)
	}
	require.Equal(t, "ada@example.com", verify(claimsWith(m{"name": 7})).Email, "one odd claim leaves the other")
}

func TestVerify_LeewayBounds_Applied(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	c := newFakeClock()
	v := i.newService(t, c, environ{"AUTH_LEEWAY": "30s"}).Verifier(GraphQL)
	at := func(claim string, offset time.Duration) string {
		return sign(t, "EdDSA", edKey(), claimsWith(jwt.MapClaims{claim: testStart.Add(offset).Unix()}), kidHeader("ed"))
	}
	for _, tc := range []struct {
		claim  string
		offset time.Duration
		reason Reason
	}{
		{"exp", -29 * time.Second, ""},
		{"exp", -30 * time.Second, ReasonExpired},
		{"nbf", 30 * time.Second, ""},
		{"nbf", 31 * time.Second, ReasonNotYetValid},
		{"iat", 30 * time.Second, ""},
		{"iat", 31 * time.Second, ReasonNotYetValid},
	} {
		token := at(tc.claim, tc.offset)
		if tc.reason != "" {
			requireRejected(t, v, token, tc.reason, tc)
			continue
		}
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err, tc)
	}
}

func TestVerify_MalformedTokens_Rejected(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newTickingClock(), nil).Verifier(GraphQL)
	good := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"empty": "", "words": "not a token", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x",
		"bad base64": "!." + parts[1] + "." + parts[2], "padded": parts[0] + "=." + parts[1] + "." + parts[2],
		"header no JSON":   b64([]byte("x")) + "." + parts[1] + "." + parts[2],
		"claims no JSON":   parts[0] + "." + b64([]byte("x")) + "." + parts[2],
		"claims an array":  parts[0] + "." + b64([]byte("[1]")) + "." + parts[2],
		"deeply nested":    parts[0] + "." + b64([]byte(strings.Repeat("[", 5000))) + "." + parts[2],
		"signature no b64": parts[0] + "." + parts[1] + ".!",
	} {
		requireRejected(t, v, token, ReasonMalformed, name)
	}
	requireRejected(t, v, parts[0]+"."+parts[1]+".", ReasonBadSignature)
	requireRejected(t, v, withOtherLastLetter(t, good), ReasonMalformed, "another spelling of the same signature")
	requireRejected(t, v, strings.Repeat("a", bearer.MaxBytes+1), ReasonTooLong)

	forged, err := json.Marshal(claimsWith(jwt.MapClaims{"sub": "u2"}))
	require.NoError(t, err)
	requireRejected(t, v, parts[0]+"."+b64(forged)+"."+parts[2], ReasonBadSignature, "changed claims")
}

func TestVerify_NullClaims_Rejected(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	v := i.newService(t, newFakeClock(), nil).Verifier(GraphQL)
	requireRejected(t, v, sign(t, "EdDSA", edKey(), jwt.MapClaims(nil), kidHeader("ed")), ReasonMissingClaim)
}

func TestVerify_AudiencePerSurface_Checked(t *testing.T) {
	i := newFakeIssuer(t, publicJWK(t, "ed", "EdDSA", edKey()))
	a := i.newService(t, newFakeClock(), environ{"AUTH_MCP_AUDIENCE": "https://errand.example.com/mcp"})
	forGraphQL := sign(t, "EdDSA", edKey(), validClaims(), kidHeader("ed"))
	forMCP := sign(
		t,
		"EdDSA",
		edKey(),
		claimsWith(jwt.MapClaims{"aud": "https://errand.example.com/mcp"}),
		kidHeader("ed"),
	)

	_, err := a.Verifier(GraphQL).Verify(t.Context(), forGraphQL)
	require.NoError(t, err)
	_, err = a.Verifier(MCP).Verify(t.Context(), forMCP)
	require.NoError(t, err)
	requireRejected(t, a.Verifier(GraphQL), forMCP, ReasonWrongAudience)
	requireRejected(t, a.Verifier(MCP), forGraphQL, ReasonWrongAudience)
}

// withOtherLastLetter changes the last letter of a token. A lenient base64 decoder decodes it to the same bytes.
func withOtherLastLetter(t *testing.T, token string) string {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	changed := token[:len(token)-1] + string(alphabet[last^1])
	before, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndex(token, ".")+1:])
	require.NoError(t, err)
	after, err := base64.RawURLEncoding.DecodeString(changed[strings.LastIndex(changed, ".")+1:])
	require.NoError(t, err)
	require.Equal(t, before, after)
	return changed
}
