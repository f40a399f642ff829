package integration

import (
	"encoding/json"
	"net/http"
	"testing"

	"errand/internal/signin/passkeytest"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const passkeyOrigin = "https://errand.example"

// ceremony is the beginning of the registration or use of a passkey.
type ceremony struct {
	Ceremony  string
	PublicKey json.RawMessage
}

func beginCeremony(t testing.TB, b *harness.Browser, path string, headers ...http.Header) (c ceremony) {
	t.Helper()
	answer := b.Post(t, path, struct{}{}, headers...)
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	answer.Decode(t, &c)
	return c
}

// signInWithPasskey signs a browser in with the passkey of a device.
func signInWithPasskey(t testing.TB, b *harness.Browser, device *passkeytest.Authenticator) harness.Answer {
	t.Helper()
	c := beginCeremony(t, b, "/auth/passkeys/sign-in/options")
	return b.Post(t, "/auth/passkeys/sign-in",
		map[string]any{"ceremony": c.Ceremony, "credential": device.Get(t, c.PublicKey)})
}

// TestPasskeys_Added_SignsInUntilDeleted adds a passkey to an account, signs in with it in another browser, and
// deletes it.
func TestPasskeys_Added_SignsInUntilDeleted(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		newBrowser := func() *harness.Browser {
			b := harness.NewBrowser(t, env.URL())
			b.Header.Set("Origin", passkeyOrigin)
			return b
		}
		_, session := env.SetUp(t, "ada")
		b, bearer := newBrowser(), harness.Bearer(session.AccessToken)
		device := passkeytest.New(t, passkeyOrigin)
		c := beginCeremony(t, b, "/auth/passkeys/options", bearer)
		answer := b.Post(t, "/auth/passkeys", map[string]any{
			"ceremony": c.Ceremony, "credential": device.Create(t, c.PublicKey), "name": "Laptop",
		}, bearer)
		require.Equal(t, http.StatusCreated, answer.Status, answer.Body)
		var passkey struct{ ID, Name, CreatedAt string }
		answer.Decode(t, &passkey)
		require.Equal(t, "Laptop", passkey.Name)
		require.NotEmpty(t, passkey.CreatedAt)

		there := newBrowser()
		answer = signInWithPasskey(t, there, device)
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		var second harness.SignedIn
		answer.Decode(t, &second)
		require.Equal(t, "ada", second.User.Login)
		require.Equal(t, harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)),
			harness.ViewerID(t, testclient.New(t, env.URL(), second.AccessToken)))

		// The credential names the origin of the page, so that a page of another origin cannot pass it on.
		phished := *device
		phished.Origin = "https://evil.example"
		answer = signInWithPasskey(t, newBrowser(), &phished)
		require.Equal(t, http.StatusUnauthorized, answer.Status)
		stranger := signInWithPasskey(t, newBrowser(), passkeytest.New(t, passkeyOrigin))
		require.Equal(t, stranger.Body, answer.Body, "a rejected passkey is like an unknown one")

		used := beginCeremony(t, there, "/auth/passkeys/sign-in/options")
		body := map[string]any{"ceremony": used.Ceremony, "credential": device.Get(t, used.PublicKey)}
		require.Equal(t, http.StatusOK, newBrowser().Post(t, "/auth/passkeys/sign-in", body).Status)
		require.Equal(t, http.StatusUnauthorized, newBrowser().Post(t, "/auth/passkeys/sign-in", body).Status, "sent twice")

		answer = b.Do(t, http.MethodDelete, "/auth/passkeys/"+passkey.ID, nil, bearer)
		require.Equal(t, http.StatusNoContent, answer.Status, answer.Body)
		require.Equal(t, http.StatusUnauthorized, signInWithPasskey(t, newBrowser(), device).Status)
	}, harness.LocalAccounts, harness.Settings{"PUBLIC_URL": passkeyOrigin})
}

// TestLocalAccounts_DeleteViewer_EndsTheLogin deletes the account of a session.
func TestLocalAccounts_DeleteViewer_EndsTheLogin(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		owner, first := env.SetUp(t, "ada")
		browser, session := harness.Invite(t, env.URL(), owner, first.AccessToken, "bob")
		client := testclient.New(t, env.URL(), session.AccessToken)
		deletion := testclient.Vars{"confirm": "delete my account"}
		require.Empty(t, client.Try(t, harness.DeleteViewerDoc, deletion).Errors)
		requireRejectedToken(t, env.URL(), session.AccessToken)
		require.Equal(t, http.StatusUnauthorized, browser.Post(t, "/auth/refresh", struct{}{}).Status)
		require.Equal(t, http.StatusUnauthorized,
			browser.Post(t, "/auth/sign-in", credentials("bob", harness.Password)).Status)
		owner.Session(t, "/auth/refresh", struct{}{})
	}, harness.LocalAccounts)
}

// TestLocalAccounts_KeysDeleted_TokensEndAndSessionsStay follows docs/OPERATIONS.md after a leak of the database.
func TestLocalAccounts_KeysDeleted_TokensEndAndSessionsStay(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, database string) {
		t.Parallel()
		env := harness.Start(t, database, harness.LocalAccounts)
		browser, session := env.SetUp(t, "ada")
		user := harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken))
		cookie := browser.Cookie(t, "errand_refresh")
		require.NoError(t, env.Stop(t.Context()))
		execSQL(t, database, "DELETE FROM sign_in_keys")

		env = harness.Start(t, database, harness.LocalAccounts)
		requireRejectedToken(t, env.URL(), session.AccessToken)
		browser = harness.NewBrowser(t, env.URL())
		browser.SetCookie(t, "errand_refresh", cookie)
		renewed := browser.Session(t, "/auth/refresh", struct{}{})
		require.Equal(t, user, harness.ViewerID(t, testclient.New(t, env.URL(), renewed.AccessToken)))
	})
}
