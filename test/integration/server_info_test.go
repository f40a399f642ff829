package integration

import (
	"encoding/json"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const serverInfoDoc = `{ serverInfo {
	auth { methods { kind issuer path } }
	version
	model { provider name leavesMachine }
	limits { messageLength taskTitleLength taskDescriptionLength taskLabels taskLabelLength conversationTitleLength
		pageSize subscriptionsPerSocket mutationsPerMinute tasksPerUser }
} }`

func TestServerInfo_SignedIn_ReturnsAll(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		for _, c := range []*testclient.Client{b.Client(t, "alice"), b.ClientWithScopes(t, "alice", "chat")} {
			require.JSONEq(t, `{"serverInfo": {
				"auth": {"methods": [{"kind": "IDENTITY_PROVIDER", "issuer": null, "path": null}]},
				"version": "devel",
				"model": {"provider": "rules", "name": "rules", "leavesMachine": false},
				"limits": {"messageLength": 8000, "taskTitleLength": 200, "taskDescriptionLength": 10000, "taskLabels": 20,
					"taskLabelLength": 50, "conversationTitleLength": 200, "pageSize": 100, "subscriptionsPerSocket": 7,
					"mutationsPerMinute": 9, "tasksPerUser": null}}}`, string(c.Try(t, serverInfoDoc, nil).Data))
		}
	}, harness.Settings{
		"MAX_SUBSCRIPTIONS_PER_SOCKET": "7",
		"MUTATIONS_PER_MINUTE":         "9",
		"MAX_TASKS_PER_USER":           "0",
	})
}

func TestServerInfo_WithoutToken_ReturnsSignInOnly(t *testing.T) {
	t.Parallel()
	idp := harness.NewIdentityProvider(t)
	for name, tc := range map[string]struct {
		settings harness.Settings
		want     string
	}{
		"development": {
			harness.Settings{"BETTER_AUTH_SECRET": "", "PUBLIC_URL": "http://127.0.0.1:9/errand"},
			`{"kind": "DEVELOPMENT", "issuer": null, "path": "/errand/dev/sign-in"}`,
		},
		"identity provider": {
			idp.Settings(),
			`{"kind": "IDENTITY_PROVIDER", "issuer": "` + harness.Issuer + `", "path": null}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := harness.Start(t, testdb.SQLiteURL(t), tc.settings)
			response := testclient.New(t, b.URL(), "").Try(t, serverInfoDoc, nil)
			require.JSONEq(t, `{"serverInfo": {"auth": {"methods": [`+tc.want+`]},
				"version": null, "model": null, "limits": null}}`, string(response.Data))
			require.Empty(t, response.Errors)
			other := testclient.New(t, b.URL(), "").Try(t, `{ serverInfo { version } viewer { id } }`, nil)
			harness.RequireErrorCode(t, "UNAUTHENTICATED", other)
		})
	}
}

func TestServerInfo_Model_NamesProviderAndHost(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://127.0.0.1:9/v1":      `{"provider": "openai", "name": "m/x", "leavesMachine": false}`,
		"https://models.example/v1":  `{"provider": "openai", "name": "m/x", "leavesMachine": true}`,
		"http://localhost.example:9": `{"provider": "openai", "name": "m/x", "leavesMachine": true}`,
	} {
		b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{
			"LLM_PROVIDER": "openai", "OPENAI_BASE_URL": base, "LLM_MODEL": "m/x", "OPENAI_API_KEY": "planted-key",
		})
		response := b.Client(t, "alice").Try(t, serverInfoDoc, nil)
		require.NotContains(t, response.Raw, "planted-key")
		var data struct {
			ServerInfo struct{ Model json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(response.Data, &data), response.Raw)
		require.JSONEq(t, want, string(data.ServerInfo.Model))
	}
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{
		"LLM_FALLBACK": "openai/m", "OPENAI_BASE_URL": "https://models.example/v1",
	})
	require.Contains(t, b.Client(t, "alice").Try(t, serverInfoDoc, nil).Raw, `"leavesMachine":true`)
}
