package auth

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"errand/internal/auth/bearer"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestEveryAcceptedAlgorithm(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()), jwk(t, "ec", "ES256", ecKey()),
		jwk(t, "rs", "RS256", rsaKey()), jwk(t, "ps", "PS256", rsaKey()),
		jwk(t, "bare-ec", "", ecKey()), jwk(t, "bare-rsa", "", rsaKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)

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
	} {
		claims, err := v.Verify(t.Context(), sign(t, tc.alg, tc.key, goodClaims(), kid(tc.kid)))
		require.NoError(t, err, tc.kid)
		require.Equal(t, Claims{
			Subject: "u1", Name: "Ada", Email: "ada@example.com", Issuer: testIssuer,
			IssuedAt: start, ExpiresAt: start.Add(15 * time.Minute),
		}, claims)
	}
	require.EqualValues(t, 1, i.fetches.Load())
}

func TestAlgorithmIsPinnedToTheKey(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()), jwk(t, "rs", "RS256", rsaKey()), jwk(t, "bare-rsa", "", rsaKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)

	der, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	other := newEdKey(t)

	for name, tc := range map[string]struct {
		token  string
		reason Reason
	}{
		"HS256 keyed with the public PEM": {sign(t, "HS256", publicPEM, goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"HS256 keyed with the public DER": {sign(t, "HS256", der, goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"none":                            {sign(t, "none", jwt.UnsafeAllowNoneSignatureType, goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"None in other letters":           {sign(t, "none", jwt.UnsafeAllowNoneSignatureType, goodClaims(), map[string]any{"alg": "nOnE"}), ReasonBadAlgorithm},
		"PS256 with an RS256 key":         {sign(t, "PS256", rsaKey(), goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"PS256 with a key of no alg":      {sign(t, "PS256", rsaKey(), goodClaims(), kid("bare-rsa")), ReasonBadAlgorithm},
		"RS512":                           {sign(t, "RS512", rsaKey(), goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"ES256 naming the RSA key":        {sign(t, "ES256", ecKey(), goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"EdDSA by another key":            {sign(t, "EdDSA", other, goodClaims(), kid("ed")), ReasonBadSignature},
		"keys swapped":                    {sign(t, "EdDSA", edKey(), goodClaims(), kid("rs")), ReasonBadAlgorithm},
		"alg claimed, signature of other": {sign(t, "RS256", rsaKey(), goodClaims(), map[string]any{"kid": "ed", "alg": "EdDSA"}), ReasonBadSignature},
		"alg missing":                     {sign(t, "RS256", rsaKey(), goodClaims(), map[string]any{"kid": "rs", "alg": nil}), ReasonBadAlgorithm},
		"unknown alg":                     {sign(t, "RS256", rsaKey(), goodClaims(), map[string]any{"kid": "rs", "alg": "XX"}), ReasonBadAlgorithm},
		"key in the header": {sign(t, "EdDSA", other, goodClaims(), map[string]any{
			"kid": "evil", "jwk": jwk(t, "evil", "EdDSA", other), "jku": "https://evil.example",
		}), ReasonUnknownKey},
	} {
		requireRefused(t, v, tc.token, tc.reason, name)
	}
}

func TestHeaderFields(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	header := func(more map[string]any) string {
		more["kid"] = "ed"
		return sign(t, "EdDSA", edKey(), goodClaims(), more)
	}
	for _, typ := range []any{nil, "JWT", "at+jwt"} {
		_, err := v.Verify(t.Context(), header(map[string]any{"typ": typ}))
		require.NoError(t, err, typ)
	}
	requireRefused(t, v, header(map[string]any{"typ": "logout+jwt"}), ReasonBadHeader)
	requireRefused(t, v, header(map[string]any{"typ": []string{"JWT"}}), ReasonBadHeader)
	requireRefused(t, v, header(map[string]any{"crit": []string{"exp"}}), ReasonBadHeader)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), goodClaims(), map[string]any{"kid": 7}), ReasonBadHeader)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), goodClaims(), kid(strings.Repeat("k", 256))), ReasonBadHeader)
	require.EqualValues(t, 1, i.fetches.Load())
}

func TestTokenWithoutKeyID(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()), jwk(t, "r1", "RS256", rsaKey()), jwk(t, "r2", "RS256", rsaKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	_, err := v.Verify(t.Context(), sign(t, "EdDSA", edKey(), goodClaims(), nil))
	require.NoError(t, err, "the only key of its algorithm is meant")
	requireRefused(t, v, sign(t, "RS256", rsaKey(), goodClaims(), nil), ReasonUnknownKey)
	requireRefused(t, v, sign(t, "ES256", ecKey(), goodClaims(), nil), ReasonUnknownKey)
	require.EqualValues(t, 1, i.fetches.Load())
}

func TestClaimsAreChecked(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	type m = jwt.MapClaims
	for name, tc := range map[string]struct {
		claims m
		reason Reason
	}{
		"wrong issuer":        {with(m{"iss": "https://app.example.com/"}), ReasonWrongIssuer},
		"no issuer":           {with(m{"iss": nil}), ReasonMissingClaim},
		"wrong audience":      {with(m{"aud": "https://other.example.com"}), ReasonWrongAudience},
		"no audience":         {with(m{"aud": nil}), ReasonMissingClaim},
		"empty audience":      {with(m{"aud": []string{}}), ReasonMissingClaim},
		"no expiry":           {with(m{"exp": nil}), ReasonMissingClaim},
		"expiry as text":      {with(m{"exp": "tomorrow"}), ReasonBadClaim},
		"expiry beyond time":  {with(m{"exp": 1e18}), ReasonBadClaim},
		"no subject":          {with(m{"sub": nil}), ReasonMissingClaim},
		"subject in capitals": {with(m{"sub": nil, "SUB": "u1"}), ReasonMissingClaim},
		"empty subject":       {with(m{"sub": ""}), ReasonBadClaim},
		"subject a number":    {with(m{"sub": 7}), ReasonBadClaim},
		"blank around":        {with(m{"sub": " u1"}), ReasonBadClaim},
		"line break":          {with(m{"sub": "u1\nadmin"}), ReasonBadClaim},
		"zero width":          {with(m{"sub": "u1\u200b"}), ReasonBadClaim},
		"right to left":       {with(m{"sub": "u1\u202e"}), ReasonBadClaim},
		"huge subject":        {with(m{"sub": strings.Repeat("s", MaxSubjectBytes+1)}), ReasonBadClaim},
		"issuer an object":    {with(m{"iss": m{"a": 1}}), ReasonBadClaim},
		"huge name":           {with(m{"name": strings.Repeat("n", MaxNameBytes+1)}), ReasonBadClaim},
		"huge e-mail":         {with(m{"email": strings.Repeat("e", MaxEmailBytes+1)}), ReasonBadClaim},
		"name an object":      {with(m{"name": m{"a": 1}}), ReasonBadClaim},
		"scope a number":      {with(m{"scope": 1}), ReasonBadClaim},
		"scp of numbers":      {with(m{"scp": []int{1}}), ReasonBadClaim},
		"issued as text":      {with(m{"iat": "now"}), ReasonBadClaim},
		"huge claims":         {with(m{"extra": strings.Repeat("x", bearer.MaxBytes)}), ReasonTooLong},
	} {
		requireRefused(t, v, sign(t, "EdDSA", edKey(), tc.claims, kid("ed")), tc.reason, name)
	}
}

func TestClaimsThatAreFine(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	type m = jwt.MapClaims
	verify := func(claims m) Claims {
		got, err := v.Verify(t.Context(), sign(t, "EdDSA", edKey(), claims, kid("ed")))
		require.NoError(t, err)
		return got
	}
	require.Equal(t, "u1", verify(with(m{"aud": []string{"x", testAudience}})).Subject)
	require.Equal(t, "auth0|José 7", verify(with(m{"sub": "auth0|José 7"})).Subject)
	require.Len(t, verify(with(m{"sub": strings.Repeat("s", MaxSubjectBytes)})).Subject, MaxSubjectBytes)
	require.Empty(t, verify(with(m{"name": nil, "email": nil})).Name)
	require.Equal(t, "Ada L", verify(with(m{"name": " Ada\x00\n L "})).Name)
	require.Equal(t, []string{"a", "b"}, verify(with(m{"scope": "a b"})).Scopes)
	require.Equal(t, []string{"a", "b"}, verify(with(m{"scp": []string{"a", "b"}})).Scopes)
}

func TestLeewayEdges(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	c := newClock()
	v := i.setup(t, c, env{"AUTH_LEEWAY": "30s"}).Verifier(GraphQL)
	at := func(claim string, offset time.Duration) string {
		return sign(t, "EdDSA", edKey(), with(jwt.MapClaims{claim: start.Add(offset).Unix()}), kid("ed"))
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
			requireRefused(t, v, token, tc.reason, tc)
			continue
		}
		_, err := v.Verify(t.Context(), token)
		require.NoError(t, err, tc)
	}
}

func TestMalformedTokens(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	good := sign(t, "EdDSA", edKey(), goodClaims(), kid("ed"))
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
		requireRefused(t, v, token, ReasonMalformed, name)
	}
	requireRefused(t, v, parts[0]+"."+parts[1]+".", ReasonBadSignature)
	requireRefused(t, v, respelled(t, good), ReasonMalformed, "the same signature in other letters")
	requireRefused(t, v, strings.Repeat("a", bearer.MaxBytes+1), ReasonTooLong)

	forged, err := json.Marshal(with(jwt.MapClaims{"sub": "u2"}))
	require.NoError(t, err)
	requireRefused(t, v, parts[0]+"."+b64(forged)+"."+parts[2], ReasonBadSignature, "changed claims")
}

func TestClaimsNullAreMissing(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	v := i.setup(t, newClock(), nil).Verifier(GraphQL)
	requireRefused(t, v, sign(t, "EdDSA", edKey(), jwt.MapClaims(nil), kid("ed")), ReasonMissingClaim)
}

func TestAudiencePerSurface(t *testing.T) {
	i := newIssuer(t, jwk(t, "ed", "EdDSA", edKey()))
	a := i.setup(t, newClock(), env{"AUTH_MCP_AUDIENCE": "https://errand.example.com/mcp"})
	forGraphQL := sign(t, "EdDSA", edKey(), goodClaims(), kid("ed"))
	forMCP := sign(t, "EdDSA", edKey(), with(jwt.MapClaims{"aud": "https://errand.example.com/mcp"}), kid("ed"))

	_, err := a.Verifier(GraphQL).Verify(t.Context(), forGraphQL)
	require.NoError(t, err)
	_, err = a.Verifier(MCP).Verify(t.Context(), forMCP)
	require.NoError(t, err)
	requireRefused(t, a.Verifier(GraphQL), forMCP, ReasonWrongAudience)
	requireRefused(t, a.Verifier(MCP), forGraphQL, ReasonWrongAudience)
}

// respelled writes a token's last letter differently, with the same bytes for a careless decoder.
func respelled(t *testing.T, token string) string {
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
