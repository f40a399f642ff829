package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/signin/passkeytest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestPasskey_OverHTTP_SignsIn registers a passkey in a signed-in browser and signs in with it in another.
func TestPasskey_OverHTTP_SignsIn(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		url := strings.Replace(env.URL(), "127.0.0.1", "localhost", 1) // IP addresses have no passkeys
		b := harness.NewBrowser(t, url)
		owner := b.Session(t, "/auth/redeem", map[string]string{
			"token": harness.LinkToken(t, env.SetUpURL()), "login": "ada", "password": harness.Password,
		})
		authenticator := passkeytest.New(t, url)
		type ceremony struct {
			Ceremony  string
			PublicKey json.RawMessage
		}
		begin := func(b *harness.Browser, path string, more ...http.Header) (c ceremony) {
			answer := b.Post(t, path, struct{}{}, more...)
			require.Equal(t, http.StatusOK, answer.Status, answer.Body)
			answer.Decode(t, &c)
			return c
		}
		begun := begin(b, "/auth/passkeys/options", harness.Bearer(owner.AccessToken))
		answer := b.Post(t, "/auth/passkeys", map[string]any{
			"ceremony": begun.Ceremony, "credential": authenticator.Create(t, begun.PublicKey), "name": "Phone",
		}, harness.Bearer(owner.AccessToken))
		require.Equal(t, http.StatusCreated, answer.Status, answer.Body)
		var created struct{ ID, Name string }
		answer.Decode(t, &created)
		require.Equal(t, "Phone", created.Name)

		other := harness.NewBrowser(t, url)
		begun = begin(other, "/auth/passkeys/sign-in/options")
		credential := map[string]any{"ceremony": begun.Ceremony, "credential": authenticator.Get(t, begun.PublicKey)}
		session := other.Session(t, "/auth/passkeys/sign-in", credential)
		require.Equal(t, "ada", session.User.Login)
		require.NotEmpty(t, harness.ViewerID(t, testclient.New(t, env.URL(), session.AccessToken)))
		require.Equal(t, "ada", other.Session(t, "/auth/refresh", struct{}{}).User.Login)
		require.Equal(t, http.StatusUnauthorized, other.Post(t, "/auth/passkeys/sign-in", credential).Status, "used")

		deletion := b.Do(t, http.MethodDelete, "/auth/passkeys/"+created.ID, nil, harness.Bearer(owner.AccessToken))
		require.Equal(t, http.StatusNoContent, deletion.Status, deletion.Body)
		begun = begin(other, "/auth/passkeys/sign-in/options")
		credential = map[string]any{"ceremony": begun.Ceremony, "credential": authenticator.Get(t, begun.PublicKey)}
		require.Equal(t, http.StatusUnauthorized, other.Post(t, "/auth/passkeys/sign-in", credential).Status, "deleted")
	}, harness.LocalAccounts)
}
