package integration

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// beginOIDC opens the sign-in and returns the address of the provider that the browser is sent to.
func beginOIDC(t testing.TB, b *harness.Browser) *url.URL {
	t.Helper()
	answer := b.Do(t, http.MethodGet, "/auth/oidc", nil, http.Header{"Origin": nil})
	require.Equal(t, http.StatusFound, answer.Status, answer.Body)
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	address, err := url.Parse(answer.Header.Get("Location"))
	require.NoError(t, err)
	return address
}

// follow opens the provider's address, which redirects back, and returns the path and query of the callback.
func follow(t testing.TB, b *harness.Browser, address *url.URL) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.String(), nil)
	require.NoError(t, err)
	response, err := b.Client.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusFound, response.StatusCode)
	back, found := strings.CutPrefix(response.Header.Get("Location"), b.URL)
	require.True(t, found, response.Header.Get("Location"))
	return back
}

// callback opens the callback and returns where it redirects to.
func callback(t testing.TB, b *harness.Browser, path string) string {
	t.Helper()
	answer := b.Do(t, http.MethodGet, path, nil, http.Header{"Origin": nil})
	require.Equal(t, http.StatusFound, answer.Status, answer.Body)
	require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", answer.Header.Get("Referrer-Policy"))
	return answer.Header.Get("Location")
}

// signInOIDC signs a new browser in at the provider.
func signInOIDC(t testing.TB, env *harness.Env) *harness.Browser {
	t.Helper()
	b := harness.NewBrowser(t, env.URL())
	require.Equal(t, "/", callback(t, b, follow(t, b, beginOIDC(t, b))))
	return b
}

type oidcToken struct {
	AccessToken string
	ExpiresAt   time.Time
}

func refreshOIDC(t testing.TB, b *harness.Browser) (token oidcToken) {
	t.Helper()
	answer := b.Post(t, "/auth/refresh", struct{}{})
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	answer.Decode(t, &token)
	return token
}

// TestOIDC_SignIn_LastsUntilSignOut signs in at the provider, sends a message, renews the token and signs out.
func TestOIDC_SignIn_LastsUntilSignOut(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, database string) {
		t.Parallel()
		provider := harness.NewOIDCProvider(t)
		env := harness.Start(t, database, provider.OIDCSettings())
		require.JSONEq(t, `{"serverInfo": {"auth": {"setUpOpen": false,
			"methods": [{"kind": "OIDC", "issuer": "`+provider.URL+`", "path": "/auth/oidc"}]}}}`,
			string(testclient.New(t, env.URL(), "").Try(t, signInInfoDoc, nil).Data))

		b := harness.NewBrowser(t, env.URL())
		address := beginOIDC(t, b)
		query := address.Query()
		require.Equal(t, "code", query.Get("response_type"))
		require.Equal(t, "S256", query.Get("code_challenge_method"))
		require.Equal(t, env.URL()+"/auth/callback", query.Get("redirect_uri"))
		require.Contains(t, query.Get("scope"), "openid")
		require.Contains(t, query.Get("scope"), "offline_access")
		require.Equal(t, "/", callback(t, b, follow(t, b, address)))
		require.Empty(t, b.Cookie(t, "errand_oidc_state"))

		token := refreshOIDC(t, b)
		require.Equal(t, token, refreshOIDC(t, b), "the provider is not asked while the token is valid")
		client := testclient.New(t, env.URL(), token.AccessToken)
		require.NotEmpty(t, harness.Send(t, client, "", "add Buy milk").UserMessage.ID)
		user := harness.ViewerID(t, client)

		require.Equal(t, http.StatusNoContent, b.Post(t, "/auth/sign-out", struct{}{}).Status)
		require.Len(t, provider.Revoked(), 1)
		require.Empty(t, b.Cookie(t, "errand_oidc"))
		require.Equal(t, http.StatusUnauthorized, b.Post(t, "/auth/refresh", struct{}{}).Status)

		provider.SetLifetime(30 * time.Second) // below the remaining lifetime at which tokens are renewed
		b = signInOIDC(t, env)
		first := refreshOIDC(t, b)
		renewed := refreshOIDC(t, b)
		require.NotEqual(t, first.AccessToken, renewed.AccessToken)
		require.Equal(t, user, harness.ViewerID(t, testclient.New(t, env.URL(), renewed.AccessToken)))

		cookie := b.Cookie(t, "errand_oidc")
		require.NotContains(t, cookie, "refresh-")
		require.NotContains(t, cookie, renewed.AccessToken)
		require.NotContains(t, env.Logs.String(), renewed.AccessToken)
		require.NotContains(t, env.Logs.String(), "code-1")
		require.NotContains(t, env.Logs.String(), harness.OIDCSecret)
	})
}

// TestOIDC_SignInBothWays_LastOneWins signs one browser in with a built-in account and at the provider, in turn.
func TestOIDC_SignInBothWays_LastOneWins(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings(), harness.Settings{"AUTH": "local"})
	b, session := env.SetUp(t, "ada")
	account := harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken))
	refreshed := func() string {
		return harness.ViewerID(t, testclient.New(t, env.URL(), refreshOIDC(t, b).AccessToken))
	}
	require.Equal(t, account, refreshed())

	require.Equal(t, "/", callback(t, b, follow(t, b, beginOIDC(t, b))))
	require.Empty(t, b.Cookie(t, "errand_refresh"))
	require.NotEqual(t, account, refreshed())

	b.Session(t, "/auth/sign-in", credentials("ada", harness.Password))
	require.Empty(t, b.Cookie(t, "errand_oidc"))
	require.Equal(t, account, refreshed())

	address := beginOIDC(t, b)
	query := address.Query()
	query.Set("nonce", "another")
	address.RawQuery = query.Encode()
	require.Contains(t, callback(t, b, follow(t, b, address)), "provider_rejected")
	require.Equal(t, account, refreshed(), "a failed sign-in changes nothing")
}

// TestOIDC_TabsRenewTogether_ProviderSeesOneRefreshToken sends the refreshes of several tabs at once. The provider
// accepts each refresh token once.
func TestOIDC_TabsRenewTogether_ProviderSeesOneRefreshToken(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	provider.SetLifetime(30 * time.Second)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings())
	b := signInOIDC(t, env)
	cookies := http.Header{"Cookie": {"errand_oidc=" + b.Cookie(t, "errand_oidc")}}
	for _, status := range harness.Concurrently(8, func(int) int {
		return harness.NewBrowser(t, env.URL()).Post(t, "/auth/refresh", struct{}{}, cookies).Status
	}) {
		require.Equal(t, http.StatusOK, status)
	}
}

// TestOIDC_ProviderDown_KeepsTheSession starts a server without its provider, and keeps a session while it is down.
func TestOIDC_ProviderDown_KeepsTheSession(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{
		"BETTER_AUTH_SECRET": "", "AUTH_OIDC_ISSUER": "http://127.0.0.1:1", "AUTH_OIDC_CLIENT_ID": "errand",
	})
	answer := harness.NewBrowser(t, env.URL()).Do(t, http.MethodGet, "/auth/oidc", nil)
	require.Equal(t, "/#/sign-in?error=provider_unavailable", answer.Header.Get("Location"))

	provider := harness.NewOIDCProvider(t)
	provider.SetLifetime(30 * time.Second)
	env = harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings())
	b := signInOIDC(t, env)
	provider.RespondToTokens(func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	answer = b.Post(t, "/auth/refresh", struct{}{})
	require.Equal(t, http.StatusServiceUnavailable, answer.Status)
	require.NotEmpty(t, b.Cookie(t, "errand_oidc"))
	provider.RespondToTokens(nil)
	refreshOIDC(t, b)
}

// TestOIDC_MixUp_Refused shows that a browser accepts the response to its own sign-in only.
func TestOIDC_MixUp_Refused(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings())
	const expired, rejected = "/#/sign-in?error=sign_in_expired", "/#/sign-in?error=provider_rejected"
	newBrowser := func() *harness.Browser { return harness.NewBrowser(t, env.URL()) }

	attacker, victim := newBrowser(), newBrowser()
	stolen := follow(t, attacker, beginOIDC(t, attacker))
	require.Equal(t, expired, callback(t, victim, stolen), "a browser that began nothing")
	beginOIDC(t, victim)
	require.Equal(t, expired, callback(t, victim, stolen), "the state of another browser")

	b := newBrowser()
	back := follow(t, b, beginOIDC(t, b))
	require.Equal(t, "/", callback(t, b, back))
	require.Equal(t, expired, callback(t, b, back), "the same response twice")

	b = newBrowser()
	address := beginOIDC(t, b)
	query := address.Query()
	query.Set("nonce", "another")
	address.RawQuery = query.Encode()
	require.Equal(t, rejected, callback(t, b, follow(t, b, address)), "an ID token with the nonce of another sign-in")

	b = newBrowser()
	address = beginOIDC(t, b)
	query = address.Query()
	query.Set("code_challenge", "another")
	address.RawQuery = query.Encode()
	require.Equal(t, rejected, callback(t, b, follow(t, b, address)), "a code of another sign-in")

	for name, changed := range map[string]func(q url.Values){
		"two states":     func(q url.Values) { q.Add("state", "x") },
		"no state":       func(q url.Values) { q.Del("state") },
		"two codes":      func(q url.Values) { q.Add("code", "x") },
		"another issuer": func(q url.Values) { q.Set("iss", "https://other.example") },
	} {
		b = newBrowser()
		path, text, _ := strings.Cut(follow(t, b, beginOIDC(t, b)), "?")
		query, err := url.ParseQuery(text)
		require.NoError(t, err)
		changed(query)
		require.Contains(t, []string{expired, rejected}, callback(t, b, path+"?"+query.Encode()), name)
		require.Equal(t, http.StatusUnauthorized, b.Post(t, "/auth/refresh", struct{}{}).Status, name)
	}

	b = newBrowser()
	beginOIDC(t, b)
	b.SetCookie(t, "errand_oidc_state", b.Cookie(t, "errand_oidc_state")+"x")
	require.Equal(t, expired, callback(t, b, "/auth/callback?code=c&state=s"))
}

// TestOIDC_AttackersText_IsNotReflected sends text of an attacker through every part of the callback.
func TestOIDC_AttackersText_IsNotReflected(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings())
	const planted = "%3Cscript%3Ehttps%3A%2F%2Fevil.example"
	for _, path := range []string{
		"/auth/callback?error=" + planted, "/auth/callback?code=" + planted + "&state=" + planted,
		"/auth/callback?next=" + planted, "/auth/oidc?redirect_uri=" + planted + "&next=" + planted,
	} {
		b := harness.NewBrowser(t, env.URL())
		beginOIDC(t, b)
		answer := b.Do(t, http.MethodGet, path, nil)
		require.NotContains(t, answer.Body+answer.Header.Get("Location"), "evil", path)
	}
	for code, want := range map[string]string{
		"access_denied": "access_denied", "server_error": "provider_rejected", "<b>": "provider_rejected",
	} {
		b := harness.NewBrowser(t, env.URL())
		state := beginOIDC(t, b).Query().Get("state")
		answer := b.Do(t, http.MethodGet, "/auth/callback?"+url.Values{"error": {code}, "state": {state}}.Encode(), nil)
		require.Equal(t, "/#/sign-in?error="+want, answer.Header.Get("Location"))
	}
}

// TestOIDC_InvalidIDTokens_AreRejected changes the claims of the provider's tokens.
func TestOIDC_InvalidIDTokens_AreRejected(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings(), harness.Settings{"AUTH": "local"})
	issuer, err := env.Services.SignIn.Issuer(t.Context())
	require.NoError(t, err)
	for name, change := range map[string]func(claims map[string]any){
		"another audience":           func(c map[string]any) { c["aud"] = "other" },
		"another issuer":             func(c map[string]any) { c["iss"] = "https://other.example" },
		"the issuer of this server":  func(c map[string]any) { c["iss"] = issuer },
		"expired":                    func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"without nonce":              func(c map[string]any) { delete(c, "nonce") },
		"without subject":            func(c map[string]any) { delete(c, "sub") },
		"the nonce of another's":     func(c map[string]any) { c["nonce"] = "other" },
		"an issuer that is not text": func(c map[string]any) { c["iss"] = 7 },
	} {
		provider.ChangeClaims(change)
		b := harness.NewBrowser(t, env.URL())
		require.Equal(t, "/#/sign-in?error=provider_rejected", callback(t, b, follow(t, b, beginOIDC(t, b))), name)
		require.Equal(t, http.StatusUnauthorized, b.Post(t, "/auth/refresh", struct{}{}).Status, name)
	}
	provider.ChangeClaims(nil)
	provider.SetLifetime(30 * time.Second)
	b := signInOIDC(t, env)
	provider.SetSubject("mallory")
	require.Equal(t, http.StatusUnauthorized, b.Post(t, "/auth/refresh", struct{}{}).Status, "renewed as another user")
	require.Empty(t, b.Cookie(t, "errand_oidc"))
}

// TestOIDC_LargeTokens_SpreadOverCookies signs in with tokens that are larger than a cookie.
func TestOIDC_LargeTokens_SpreadOverCookies(t *testing.T) {
	t.Parallel()
	provider := harness.NewOIDCProvider(t)
	env := harness.Start(t, testdb.SQLiteURL(t), provider.OIDCSettings())
	provider.ChangeClaims(func(c map[string]any) { c["groups"] = strings.Repeat("g", 5000) })
	provider.SetLifetime(30 * time.Second)
	b := signInOIDC(t, env)
	require.NotEmpty(t, b.Cookie(t, "errand_oidc_1"))
	require.NotEmpty(t, b.Cookie(t, "errand_oidc_2"))
	refreshOIDC(t, b)
	provider.ChangeClaims(nil)
	refreshOIDC(t, b)
	require.Empty(t, b.Cookie(t, "errand_oidc_2"), "a smaller session leaves no part behind")
	refreshOIDC(t, b)
}
