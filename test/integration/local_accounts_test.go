package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const signInInfoDoc = `{ serverInfo { auth { setUpOpen methods { kind issuer path } } } }`

// openTaskStream opens an SSE stream of a user's tasks, and returns its body after the server has begun it.
func openTaskStream(t testing.TB, url, token string) *bufio.Reader {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": harness.TaskStreamDoc})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", bytes.NewReader(text))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	return bufio.NewReader(response.Body)
}

// requireStreamEnds reads a stream to its end.
func requireStreamEnds(t testing.TB, stream *bufio.Reader) {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		for {
			if _, err := stream.ReadString('\n'); err != nil {
				ended <- err
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), testclient.Timeout)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
		require.Fail(t, "the stream did not end")
	}
}

// TestLocalAccounts_SetUpLink_OwnerUsesServer creates the owner with the set-up link, sends a message, renews the
// session and signs out, which ends the sockets, the streams and the tokens.
func TestLocalAccounts_SetUpLink_OwnerUsesServer(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		anonymous := testclient.New(t, env.URL(), "")
		require.JSONEq(t, `{"serverInfo": {"auth": {"setUpOpen": true,
			"methods": [{"kind": "LOCAL", "issuer": null, "path": "/auth/"}]}}}`,
			string(anonymous.Try(t, signInInfoDoc, nil).Data))
		require.Equal(t, 1, strings.Count(env.Logs.String(), env.SetUpURL()), "the link is logged once")

		browser := harness.NewBrowser(t, env.URL())
		link := harness.LinkToken(t, env.SetUpURL())
		answer := browser.Post(t, "/auth/link", map[string]string{"token": link})
		require.JSONEq(t, `{"kind": "SETUP"}`, answer.Body)
		answer = browser.Post(t, "/auth/redeem", map[string]string{"token": link, "login": "Ada", "password": "short"})
		require.Equal(t, "BAD_USER_INPUT", answer.Code())
		require.Contains(t, answer.Body, `"field":"password"`)

		browser, session := env.SetUp(t, "Ada")
		require.Equal(t, "ada", session.User.Login)
		require.Equal(t, "OWNER", session.User.Role)
		require.Contains(t, string(anonymous.Try(t, signInInfoDoc, nil).Data), `"setUpOpen":false`)

		client := testclient.New(t, env.URL(), session.AccessToken)
		sent := harness.Send(t, client, "", "add Buy milk")
		require.NotEmpty(t, sent.UserMessage.ID)

		renewed := browser.Session(t, "/auth/refresh", struct{}{})
		require.Equal(t, "ada", renewed.User.Login)
		client = testclient.New(t, env.URL(), renewed.AccessToken)
		require.Equal(t, harness.ViewerID(t, client), harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)))

		socket := client.Dial(t)
		socket.Subscribe(t, harness.TaskStreamDoc, nil)
		stream := openTaskStream(t, env.URL(), renewed.AccessToken)
		require.Eventually(t, func() bool { return env.Hub.Subscribers() >= 2 }, testclient.Timeout, harness.PollInterval)

		answer = browser.Post(t, "/auth/sign-out", map[string]bool{"everywhere": false})
		require.Equal(t, http.StatusNoContent, answer.Status)
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		require.Empty(t, browser.Cookie(t, "errand_refresh"))
		require.Equal(t, 4403, socket.CloseCode(t))
		requireStreamEnds(t, stream)
		for _, token := range []string{session.AccessToken, renewed.AccessToken} {
			harness.RequireErrorCode(t, "UNAUTHENTICATED",
				testclient.New(t, env.URL(), token).Try(t, harness.ViewerIDDoc, nil))
		}
		answer = browser.Post(t, "/auth/refresh", struct{}{})
		require.Equal(t, http.StatusUnauthorized, answer.Status)

		again := browser.Session(t, "/auth/sign-in", map[string]string{"login": "ADA", "password": harness.Password})
		require.NotEmpty(t, harness.ViewerID(t, testclient.New(t, env.URL(), again.AccessToken)))
	}, harness.LocalAccounts)
}

// TestLocalAccounts_Settings_OwnerInvitesMembers covers the paths that need an access token.
func TestLocalAccounts_Settings_OwnerInvitesMembers(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		owner, ownerSession := env.SetUp(t, "ada")
		member, memberSession := harness.Invite(t, env.URL(), owner, ownerSession.AccessToken, "bob")
		require.Equal(t, "MEMBER", memberSession.User.Role)

		answer := owner.Do(t, http.MethodGet, "/auth/users", nil, harness.Bearer(ownerSession.AccessToken))
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Contains(t, answer.Body, `"login":"bob"`)
		for _, path := range []string{"/auth/users", "/auth/invitations"} {
			method := map[bool]string{true: http.MethodGet, false: http.MethodPost}[path == "/auth/users"]
			answer = member.Do(t, method, path, struct{}{}, harness.Bearer(memberSession.AccessToken))
			require.Equal(t, http.StatusForbidden, answer.Status, path)
		}

		second := harness.NewBrowser(t, env.URL())
		other := second.Session(t, "/auth/sign-in", map[string]string{"login": "bob", "password": harness.Password})
		answer = member.Do(t, http.MethodGet, "/auth/account", nil, harness.Bearer(memberSession.AccessToken))
		var account struct {
			Login, Role string
			HasPassword bool
			Passkeys    []any
			Sessions    []struct {
				ID      string
				Current bool
			}
		}
		answer.Decode(t, &account)
		require.True(t, account.HasPassword)
		require.NotNil(t, account.Passkeys)
		require.Len(t, account.Sessions, 2)
		otherID := account.Sessions[0].ID
		if account.Sessions[0].Current {
			otherID = account.Sessions[1].ID
		}
		bearer := harness.Bearer(memberSession.AccessToken)
		require.Equal(t, http.StatusNotFound,
			owner.Do(t, http.MethodDelete, "/auth/sessions/"+otherID, nil, harness.Bearer(ownerSession.AccessToken)).Status)
		require.Equal(t, http.StatusNoContent, member.Do(t, http.MethodDelete, "/auth/sessions/"+otherID, nil, bearer).Status)
		harness.RequireErrorCode(t, "UNAUTHENTICATED",
			testclient.New(t, env.URL(), other.AccessToken).Try(t, harness.ViewerIDDoc, nil))

		answer = member.Post(t, "/auth/password", map[string]string{"current": "wrong", "new": "another long one"}, bearer)
		require.Equal(t, http.StatusBadRequest, answer.Status)
		require.Contains(t, answer.Body, `"field":"current"`)
		third := harness.NewBrowser(t, env.URL())
		third.Session(t, "/auth/sign-in", map[string]string{"login": "bob", "password": harness.Password})
		answer = member.Post(t, "/auth/password",
			map[string]string{"current": harness.Password, "new": "another long one"}, bearer)
		require.Equal(t, http.StatusNoContent, answer.Status, answer.Body)
		require.Equal(t, http.StatusUnauthorized, third.Post(t, "/auth/refresh", struct{}{}).Status)
		member.Session(t, "/auth/refresh", struct{}{})
	}, harness.LocalAccounts)
}

// TestLocalAccounts_BesideProvider_BothSignIn starts a server whose shared secret signs tokens of another issuer.
func TestLocalAccounts_BesideProvider_BothSignIn(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"AUTH": "local", "AUTH_REQUIRE_SCOPES": "true"})
	_, session := env.SetUp(t, "ada")
	require.NotEmpty(t, harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)),
		"a session of this server needs no scopes")
	require.NotEmpty(t, harness.ViewerID(t, env.ClientWithScopes(t, "ada", "account")))
	data := string(testclient.New(t, env.URL(), "").Try(t, signInInfoDoc, nil).Data)
	require.Contains(t, data, `"LOCAL"`)
	require.Contains(t, data, `"IDENTITY_PROVIDER"`)

	off := harness.Start(t, testdb.SQLiteURL(t))
	answer := harness.NewBrowser(t, off.URL()).Post(t, "/auth/sign-in", map[string]string{"login": "a", "password": "b"})
	require.Equal(t, http.StatusNotFound, answer.Status)
	require.Empty(t, off.SetUpURL())
}

// TestLocalAccounts_PathPrefix_CookieAndLinksHaveIt starts a server with a public URL that has a path and https.
func TestLocalAccounts_PathPrefix_CookieAndLinksHaveIt(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts,
		harness.Settings{"PUBLIC_URL": "https://errand.example/tasks"})
	require.True(t, strings.HasPrefix(env.SetUpURL(), "https://errand.example/tasks/#/join/"))
	browser := harness.NewBrowser(t, env.URL())
	browser.Header.Set("Origin", "https://errand.example")
	answer := browser.Post(t, "/tasks/auth/redeem", map[string]string{
		"token": harness.LinkToken(t, env.SetUpURL()), "login": "ada", "password": harness.Password,
	})
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	cookie, err := http.ParseSetCookie(answer.Header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.Equal(t, "/tasks/auth/", cookie.Path)
	require.True(t, cookie.Secure)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.Empty(t, cookie.Domain)
}

func TestLocalAccounts_JWKS_PublicAndCacheable(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.LocalAccounts)
	answer := harness.NewBrowser(t, env.URL()).Do(t, http.MethodGet, "/auth/jwks.json", nil,
		http.Header{"Origin": {"https://anywhere.example"}})
	require.Equal(t, http.StatusOK, answer.Status)
	require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "public, max-age=300", answer.Header.Get("Cache-Control"))
	require.Contains(t, answer.Body, `"Ed25519"`)
	require.NotContains(t, answer.Body, `"d"`)
}
