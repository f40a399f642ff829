package integration

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/auth/revoked"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// credentials is the body of a sign-in.
func credentials(login, password string) map[string]string {
	return map[string]string{"login": login, "password": password}
}

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

// TestSignInAttack_Enumeration_SameBytesAndTime compares the responses for logins that exist and that do not.
func TestSignInAttack_Enumeration_SameBytesAndTime(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		owner, session := env.SetUp(t, "ada")
		harness.Invite(t, env.URL(), owner, session.AccessToken, "disabled")
		require.NoError(t, env.Services.SignIn.DisableUser(t.Context(), "disabled"))
		answer := owner.Post(t, "/auth/invitations", struct{}{}, harness.Bearer(session.AccessToken))
		var invitation struct{ URL string }
		answer.Decode(t, &invitation)
		harness.NewBrowser(t, env.URL()).Session(t, "/auth/redeem",
			map[string]string{"token": harness.LinkToken(t, invitation.URL), "login": "passkeys"})

		cases := map[string]map[string]string{
			"unknown":             credentials("nobody", harness.Password),
			"wrong password":      credentials("ada", "not the password"),
			"empty password":      credentials("ada", ""),
			"disabled":            credentials("disabled", harness.Password),
			"without a password":  credentials("passkeys", harness.Password),
			"no password at all":  credentials("passkeys", ""),
			"not a login":         credentials("a b\u202e", harness.Password),
			"much too long login": credentials(strings.Repeat("a", 5000), harness.Password),
		}
		want := harness.NewBrowser(t, env.URL()).Post(t, "/auth/sign-in", cases["unknown"])
		require.Equal(t, http.StatusUnauthorized, want.Status)
		for name, body := range cases {
			answer := harness.NewBrowser(t, env.URL()).Post(t, "/auth/sign-in", body)
			require.Equal(t, want.Status, answer.Status, name)
			require.Equal(t, want.Body, answer.Body, name)
			for _, header := range []http.Header{want.Header, answer.Header} {
				header.Del("Date")
				header.Del("X-Request-Id")
			}
			require.Equal(t, want.Header, answer.Header, name)
		}

		fastest := func(login string) time.Duration {
			var times []time.Duration
			for range 3 {
				started := time.Now()
				harness.NewBrowser(t, env.URL()).Post(t, "/auth/sign-in", credentials(login, "guess"))
				times = append(times, time.Since(started))
			}
			return slices.Min(times)
		}
		known, unknown := fastest("ada"), fastest("somebody-else")
		require.Less(t, known, 4*unknown, "a sign-in of an unknown login does the same work")
		require.Less(t, unknown, 4*known)
	}, harness.LocalAccounts)
}

// TestSignInAttack_CrossSite_Refused sends what pages of other sites can make a browser send.
func TestSignInAttack_CrossSite_Refused(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts,
		harness.Settings{"CORS_ALLOWED_ORIGINS": "https://app.example"})
	owner, session := env.SetUp(t, "ada")
	cookie := owner.Cookie(t, "errand_refresh")
	for _, path := range []string{
		"/auth/sign-in", "/auth/refresh", "/auth/sign-out", "/auth/link", "/auth/redeem", "/auth/passkeys",
		"/auth/passkeys/options", "/auth/passkeys/sign-in", "/auth/passkeys/sign-in/options", "/auth/password",
		"/auth/invitations",
	} {
		bearer := harness.Bearer(session.AccessToken)
		for _, origin := range []string{"https://evil.example", "https://app.example", "null", "http://localhost:5173"} {
			answer := owner.Post(t, path, struct{}{}, http.Header{"Origin": {origin}}, bearer)
			require.Equal(t, http.StatusForbidden, answer.Status, "%s from %s: %s", path, origin, answer.Body)
			require.Equal(t, "FORBIDDEN", answer.Code())
			require.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
			preflight := owner.Do(t, http.MethodOptions, path, nil,
				http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"POST"}})
			require.Equal(t, http.StatusForbidden, preflight.Status)
		}
		for _, contentType := range [][]string{
			nil,
			{"text/plain"},
			{"application/x-www-form-urlencoded"},
			{"multipart/form-data; boundary=x"},
			{"text/plain; application/json"},
			{"application/json", "text/plain"},
		} {
			answer := owner.Post(t, path, struct{}{}, http.Header{"Content-Type": contentType}, bearer)
			require.Equal(t, http.StatusUnsupportedMediaType, answer.Status, "%s as %s: %s", path, contentType, answer.Body)
			answer = owner.Post(t, path, struct{}{}, http.Header{"Content-Type": contentType, "Origin": nil}, bearer)
			require.Equal(t, http.StatusUnsupportedMediaType, answer.Status)
		}
		answer := owner.Do(t, http.MethodGet, path, nil)
		require.Equal(t, http.StatusMethodNotAllowed, answer.Status, path)
		require.Equal(t, http.MethodPost, answer.Header.Get("Allow"))
	}
	for _, path := range []string{"/auth/sessions/x", "/auth/passkeys/x"} {
		answer := owner.Do(
			t,
			http.MethodDelete,
			path,
			nil,
			http.Header{"Content-Type": nil},
			harness.Bearer(session.AccessToken),
		)
		require.Equal(t, http.StatusUnsupportedMediaType, answer.Status, path)
	}
	require.Equal(t, cookie, owner.Cookie(t, "errand_refresh"))
	owner.Session(t, "/auth/refresh", struct{}{})
}

// TestSignInAttack_Fixation_EndsEarlierSession signs a browser in that has a session of an attacker.
func TestSignInAttack_Fixation_EndsEarlierSession(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	attacker, owned := env.SetUp(t, "mallory")
	harness.Invite(t, env.URL(), attacker, owned.AccessToken, "victim")
	planted := attacker.Cookie(t, "errand_refresh")

	victim := harness.NewBrowser(t, env.URL())
	victim.SetCookie(t, "errand_refresh", planted)
	session := victim.Session(t, "/auth/sign-in", credentials("victim", harness.Password))
	require.Equal(t, "victim", session.User.Login)
	require.NotEqual(t, planted, victim.Cookie(t, "errand_refresh"))
	require.Equal(t, "victim", victim.Session(t, "/auth/refresh", struct{}{}).User.Login)
	require.Equal(t, http.StatusUnauthorized, attacker.Post(t, "/auth/refresh", struct{}{}).Status)
	requireRejectedToken(t, env.URL(), owned.AccessToken, "the session of before has ended")

	made := harness.NewBrowser(t, env.URL())
	made.SetCookie(t, "errand_refresh", "chosen-by-the-attacker")
	made.Session(t, "/auth/sign-in", credentials("victim", harness.Password))
	require.NotContains(t, made.Cookie(t, "errand_refresh"), "chosen")
}

// TestSignInAttack_BruteForce_Limited guesses passwords of one login, and then of many from one address.
func TestSignInAttack_BruteForce_Limited(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts, harness.Settings{"TRUSTED_PROXIES": "127.0.0.1"})
	owner, session := env.SetUp(t, "ada")
	harness.Invite(t, env.URL(), owner, session.AccessToken, "bob")
	from := func(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }
	attacker := harness.NewBrowser(t, env.URL())
	for i := range 5 {
		answer := attacker.Post(t, "/auth/sign-in", credentials("ada", "guess"), from(fmt.Sprintf("192.0.2.%d", i)))
		require.Equal(t, http.StatusUnauthorized, answer.Status, answer.Body)
	}
	answer := attacker.Post(t, "/auth/sign-in", credentials("ADA", harness.Password), from("192.0.2.100"))
	require.Equal(t, http.StatusTooManyRequests, answer.Status, "from any address, and with the right password")
	require.Equal(t, "RATE_LIMITED", answer.Code())
	require.NotEmpty(t, answer.Header.Get("Retry-After"))
	require.Contains(t, answer.Body, "retryAfterMs")
	owner.Session(t, "/auth/refresh", struct{}{})
	attacker.Session(t, "/auth/sign-in", credentials("bob", harness.Password))

	for i := range 30 {
		answer = attacker.Post(t, "/auth/sign-in", credentials(fmt.Sprintf("user%d", i), "guess"), from("198.51.100.1"))
		require.Equal(t, http.StatusUnauthorized, answer.Status)
	}
	for range 2 {
		answer = attacker.Post(t, "/auth/sign-in", credentials("bob", harness.Password), from("198.51.100.1"))
		require.Equal(t, http.StatusTooManyRequests, answer.Status)
		answer = attacker.Post(t, "/auth/sign-in", credentials("bob", harness.Password), from("203.0.113.9, 198.51.100.1"))
		require.Equal(t, http.StatusTooManyRequests, answer.Status, "what the client put before its own address is ignored")
	}
	attacker.Session(t, "/auth/sign-in", credentials("bob", harness.Password))

	for i := range 20 {
		body := map[string]string{"token": fmt.Sprintf("guess-%d", i), "login": "eve", "password": harness.Password}
		answer = attacker.Post(t, []string{"/auth/link", "/auth/redeem"}[i%2], pick(body, i%2 == 0), from("198.51.100.2"))
		require.Equal(t, http.StatusNotFound, answer.Status, answer.Body)
	}
	answer = attacker.Post(t, "/auth/link", map[string]string{"token": "x"}, from("198.51.100.2"))
	require.Equal(t, http.StatusTooManyRequests, answer.Status)
	require.Contains(t, env.Logs.String(), `"reason":"bad_credentials"`)
	require.Contains(t, env.Logs.String(), `"reason":"rate_limited"`)
}

// pick returns the token of a body alone if alone is set.
func pick(body map[string]string, alone bool) map[string]string {
	if alone {
		return map[string]string{"token": body["token"]}
	}
	return body
}

// TestSignInAttack_LoopbackNotExempt_ForwardedHeadersIgnored guesses from this machine without a trusted proxy.
func TestSignInAttack_LoopbackNotExempt_ForwardedHeadersIgnored(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	env.SetUp(t, "ada")
	attacker := harness.NewBrowser(t, env.URL())
	status := 0
	for i := range 31 {
		status = attacker.Post(t, "/auth/sign-in", credentials(fmt.Sprintf("user%d", i), "guess"),
			http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", i)}}).Status
	}
	require.Equal(t, http.StatusTooManyRequests, status)
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

// TestSignInAttack_LinkUsedTwice_NotFound uses links again, and several times at once.
func TestSignInAttack_LinkUsedTwice_NotFound(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		setUp := harness.LinkToken(t, env.SetUpURL())
		redeem := func(i int) int {
			return harness.NewBrowser(t, env.URL()).Post(t, "/auth/redeem", map[string]string{
				"token": setUp, "login": fmt.Sprintf("owner%d", i), "password": harness.Password,
			}).Status
		}
		statuses := harness.Concurrently(4, redeem)
		slices.Sort(statuses)
		require.Equal(t, []int{200, 404, 404, 404}, statuses)
		require.Equal(t, http.StatusNotFound, redeem(9))
		answer := harness.NewBrowser(t, env.URL()).Post(t, "/auth/link", map[string]string{"token": setUp})
		require.Equal(t, "NOT_FOUND", answer.Code())
		unknown := harness.NewBrowser(t, env.URL()).Post(t, "/auth/link", map[string]string{"token": "x"})
		require.Equal(t, unknown.Body, answer.Body, "a used link is like an unknown one")
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

// TestSignInAttack_PasskeyOfAnotherOrigin_BoundToThisServer shows that the origin of passkeys is that of the server.
func TestSignInAttack_PasskeyOfAnotherOrigin_BoundToThisServer(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts,
		harness.Settings{"PUBLIC_URL": "https://errand.example/tasks"})
	b := harness.NewBrowser(t, env.URL())
	for _, headers := range []http.Header{
		{"Origin": {"https://errand.example"}}, {"Origin": nil}, {"Origin": nil, "X-Forwarded-Host": {"evil.example"}},
	} {
		answer := b.Post(t, "/auth/passkeys/sign-in/options", struct{}{}, headers)
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Contains(t, answer.Body, `"rpId":"errand.example"`)
	}
	address := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	answer := harness.NewBrowser(t, address.URL()).Post(t, "/auth/passkeys/sign-in/options", struct{}{})
	require.Equal(t, http.StatusBadRequest, answer.Status, "an IP address has no passkeys")
}

// TestSignInAttack_Bodies_Bounded sends bodies that are too large, not JSON and of another shape.
func TestSignInAttack_Bodies_Bounded(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	b := harness.NewBrowser(t, env.URL())
	answer := b.Post(t, "/auth/sign-in", credentials("ada", strings.Repeat("p", 100_000)))
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.Status)
	for _, body := range []any{nil, []string{}, "text", map[string]any{"login": 7}, map[string]any{"Logins": "a"}} {
		answer = b.Post(t, "/auth/sign-in", body)
		require.Equal(t, http.StatusBadRequest, answer.Status, body)
		require.Equal(t, "BAD_USER_INPUT", answer.Code())
	}
}

// TestSignInAttack_Secrets_NotLogged searches the log for what was sent and issued.
func TestSignInAttack_Secrets_NotLogged(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	browser, session := env.SetUp(t, "ada")
	answer := browser.Post(t, "/auth/invitations", struct{}{}, harness.Bearer(session.AccessToken))
	var invitation struct{ URL string }
	answer.Decode(t, &invitation)
	browser.Post(t, "/auth/sign-in", credentials("ada", "a wrong canary"))
	cookie, err := url.QueryUnescape(browser.Cookie(t, "errand_refresh"))
	require.NoError(t, err)
	for _, secret := range []string{
		harness.Password, "a wrong canary", session.AccessToken, cookie, harness.LinkToken(t, invitation.URL),
	} {
		require.NotContains(t, env.Logs.String(), secret)
	}
}
