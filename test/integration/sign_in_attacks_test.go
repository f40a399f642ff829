package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// credentials is the body of a sign-in.
func credentials(login, password string) map[string]string {
	return map[string]string{"login": login, "password": password}
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
