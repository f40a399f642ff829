package integration

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"errand/internal/auth/revoked"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// requireRejectedToken checks that no surface accepts a token.
func requireRejectedToken(t testing.TB, url, token string, about ...any) {
	t.Helper()
	response := testclient.New(t, url, token).Try(t, harness.ViewerIDDoc, nil)
	require.Equal(t, "UNAUTHENTICATED", response.ErrorCode(), about...)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp",
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	require.NoError(t, err)
	r.Header = http.Header{
		"Content-Type":  {"application/json"},
		"Accept":        {"application/json, text/event-stream"},
		"Authorization": {"Bearer " + token},
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode, about...)
	require.Equal(t, http.StatusUnauthorized,
		harness.NewBrowser(t, url).Do(t, http.MethodGet, "/auth/account", nil, harness.Bearer(token)).Status, about...)
}

// TestSignInAttack_ReplayAfterSignOut_RefusedOnEveryReplica uses the tokens of an ended session on two replicas.
func TestSignInAttack_ReplayAfterSignOut_RefusedOnEveryReplica(t *testing.T) {
	t.Parallel()
	database := testdb.PostgresURL(t)
	first := harness.Start(t, database, harness.LocalAccounts)
	browser, session := first.SetUp(t, "ada")
	second := harness.Start(t, database, harness.LocalAccounts)
	require.Empty(t, second.SetUpURL())
	there := testclient.New(t, second.URL(), session.AccessToken)
	require.NotEmpty(t, harness.ViewerID(t, there), "one issuer and one set of keys for all replicas")
	socket := there.Dial(t)
	socket.Subscribe(t, harness.TaskStreamDoc, nil)

	elsewhere := harness.NewBrowser(t, second.URL())
	other := elsewhere.Session(t, "/auth/sign-in", credentials("ada", harness.Password))
	stolen := browser.Cookie(t, "errand_refresh")
	answer := browser.Post(t, "/auth/sign-out", map[string]bool{"everywhere": true})
	require.Equal(t, http.StatusNoContent, answer.Status)
	requireRejectedToken(t, first.URL(), session.AccessToken)
	require.Equal(t, 4403, socket.CloseCode(t))
	for _, token := range []string{session.AccessToken, other.AccessToken} {
		require.Eventually(t, func() bool {
			return testclient.New(t, second.URL(), token).Try(t, harness.ViewerIDDoc, nil).ErrorCode() == "UNAUTHENTICATED"
		}, 2*revoked.PollInterval, harness.PollInterval)
	}
	require.Equal(t, http.StatusUnauthorized, elsewhere.Post(t, "/auth/refresh", struct{}{}).Status)
	elsewhere.SetCookie(t, "errand_refresh", stolen)
	require.Equal(t, http.StatusUnauthorized, elsewhere.Post(t, "/auth/refresh", struct{}{}).Status)
}

// TestSignInAttack_StolenRefreshCookie_EndsTheSession uses a copy of a cookie after the browser has renewed it.
func TestSignInAttack_StolenRefreshCookie_EndsTheSession(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		victim, _ := env.SetUp(t, "ada")
		thief := harness.NewBrowser(t, env.URL())
		thief.SetCookie(t, "errand_refresh", victim.Cookie(t, "errand_refresh"))
		victim.Session(t, "/auth/refresh", struct{}{})
		session := victim.Session(t, "/auth/refresh", struct{}{})

		answer := thief.Post(t, "/auth/refresh", struct{}{})
		require.Equal(t, http.StatusUnauthorized, answer.Status)
		require.Empty(t, thief.Cookie(t, "errand_refresh"))
		require.Equal(t, http.StatusUnauthorized, victim.Post(t, "/auth/refresh", struct{}{}).Status)
		requireRejectedToken(t, env.URL(), session.AccessToken)
	}, harness.LocalAccounts)
}

// TestSignInAttack_KeyConfusion_Refused forges tokens of the server's own issuer with every key that an attacker may
// have.
func TestSignInAttack_KeyConfusion_Refused(t *testing.T) {
	t.Parallel()
	idp := harness.NewIdentityProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), idp.Settings(), harness.Settings{
		"AUTH": "local", "BETTER_AUTH_SECRET": harness.Secret, "AUTH_ALLOW_SECRET_WITH_JWKS": "true",
	})
	_, session := env.SetUp(t, "ada")
	parts := strings.Split(session.AccessToken, ".")
	decode := func(part string) map[string]any {
		text, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		decoded := map[string]any{}
		require.NoError(t, json.Unmarshal(text, &decoded))
		return decoded
	}
	header, claims := decode(parts[0]), decode(parts[1])
	kid := header["kid"]
	text, err := json.Marshal(claims)
	require.NoError(t, err)
	payload := string(text)

	keys := harness.NewBrowser(t, env.URL()).Do(t, http.MethodGet, "/auth/jwks.json", nil)
	var published struct {
		Keys []map[string]string
	}
	keys.Decode(t, &published)
	require.Len(t, published.Keys, 1)
	public, err := base64.RawURLEncoding.DecodeString(published.Keys[0]["x"])
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(public))
	require.NoError(t, err)
	_, own, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)

	sign := func(alg string, id any, key any) string {
		return harness.SignToken(t, map[string]any{"alg": alg, "kid": id}, payload, jwt.GetSigningMethod(alg), key)
	}
	text64 := published.Keys[0]["x"]
	pemText := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	changed := harness.Base64URL([]byte(strings.Replace(payload, "exp", "nbf", 1)))
	withKey := map[string]any{"alg": "EdDSA", "kid": kid, "jwk": published.Keys[0]}
	forged := map[string]string{
		"the provider's key":         sign("EdDSA", "ed", idp.Ed25519Key),
		"the provider's key, own id": sign("EdDSA", kid, idp.Ed25519Key),
		"the provider's RSA key":     sign("RS256", "rs", idp.RSAKey),
		"the shared secret":          sign("HS256", "", []byte(harness.Secret)),
		"the shared secret, own id":  sign("HS256", kid, []byte(harness.Secret)),
		"the public key as a secret": sign("HS256", kid, public),
		"its JWK text as a secret":   sign("HS256", kid, []byte(text64)),
		"its PKIX form as a secret":  sign("HS256", kid, der),
		"its PEM form as a secret":   sign("HS256", kid, pemText),
		"a new key":                  sign("EdDSA", kid, own),
		"a new key in the header":    harness.SignToken(t, withKey, payload, jwt.SigningMethodEdDSA, own),
		"a new key, unknown id":      sign("EdDSA", "another", own),
		"no signature":               parts[0] + "." + parts[1] + ".",
		"alg none":                   harness.Base64URL([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"alg none with a signature":  harness.Base64URL([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2],
		"another algorithm's name":   harness.Base64URL([]byte(`{"alg":"ES256"}`)) + "." + parts[1] + "." + parts[2],
		"changed claims":             parts[0] + "." + changed + "." + parts[2],
	}
	for name, token := range forged {
		requireRejectedToken(t, env.URL(), token, name)
	}
	require.NotEmpty(t, harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)))

	// The same subject at the provider is another user.
	stranger := testclient.New(t, env.URL(), idp.Token(t, map[string]any{"sub": claims["sub"]}))
	require.NotEqual(
		t,
		harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)),
		harness.ViewerID(t, stranger),
	)
	account := harness.NewBrowser(t, env.URL()).Do(t, http.MethodGet, "/auth/account", nil,
		harness.Bearer(idp.Token(t, map[string]any{"sub": claims["sub"], "sid": claims["sid"]})))
	require.Equal(t, http.StatusForbidden, account.Status, "tokens of a provider do not reach the settings of an account")
}

// TestSignInAttack_CookieAlone_AuthenticatesNothing sends the cookies of a session to the rest of the API.
func TestSignInAttack_CookieAlone_AuthenticatesNothing(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	browser, session := env.SetUp(t, "ada")
	cookie := http.Header{"Cookie": {"errand_refresh=" + browser.Cookie(t, "errand_refresh")}}
	answer := browser.Post(t, "/graphql", map[string]string{"query": harness.ViewerIDDoc}, cookie)
	require.Contains(t, answer.Body, "UNAUTHENTICATED")
	answer = browser.Do(t, http.MethodGet, "/auth/account", nil, cookie)
	require.Equal(t, http.StatusUnauthorized, answer.Status)
	require.Equal(t, `Bearer realm="errand"`, answer.Header.Get("WWW-Authenticate"))
	browser.SetCookie(t, "errand_refresh", session.AccessToken)
	require.Equal(t, http.StatusUnauthorized, browser.Post(t, "/auth/refresh", struct{}{}).Status)
}

// TestSignInAttack_APIToken_CannotChangeTheSignIn uses an API token with all scopes on the settings of an account.
func TestSignInAttack_APIToken_CannotChangeTheSignIn(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	_, session := env.SetUp(t, "ada")
	created := testclient.Run[struct {
		CreateAPIToken struct{ Secret string }
	}](t, testclient.New(t, env.URL(), session.AccessToken),
		`mutation { createApiToken(input: {name: "all", scopes: [TASKS_READ, TASKS_WRITE, CHAT, ACCOUNT]}) { secret } }`, nil)
	token := harness.Bearer(created.CreateAPIToken.Secret)
	b := harness.NewBrowser(t, env.URL())
	require.Equal(t, http.StatusForbidden, b.Do(t, http.MethodGet, "/auth/account", nil, token).Status)
	require.Equal(t, http.StatusForbidden, b.Do(t, http.MethodGet, "/auth/users", nil, token).Status)
	require.Equal(t, http.StatusForbidden, b.Post(t, "/auth/invitations", struct{}{}, token).Status)
	require.Equal(t, http.StatusForbidden, b.Post(t, "/auth/passkeys/options", struct{}{}, token).Status)
	require.Equal(t, http.StatusForbidden, b.Post(t, "/auth/password",
		map[string]string{"current": harness.Password, "new": "another long one"}, token).Status)
}
