package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestProxy_ForwardingHeaders_OfTrustedPeersOnly checks the scheme and host under which the server names itself.
func TestProxy_ForwardingHeaders_OfTrustedPeersOnly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings harness.Settings
		resource string // "" means the address of the listener
		warnings int
	}{
		"trusted":    {harness.Settings{"TRUSTED_PROXIES": "10.0.0.0/8,127.0.0.1"}, "https://errand.example.com", 0},
		"not listed": {harness.Settings{"TRUSTED_PROXIES": "10.0.0.0/8"}, "", 1},
		"no setting": {nil, "", 1},
		"PUBLIC_URL is set": {
			harness.Settings{"TRUSTED_PROXIES": "127.0.0.1", "PUBLIC_URL": "https://e.org"}, "https://e.org", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := harness.Start(t, testdb.SQLiteURL(t), tc.settings)
			if tc.resource == "" {
				tc.resource = b.URL()
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
				b.URL()+"/.well-known/oauth-protected-resource", nil)
			require.NoError(t, err)
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "errand.example.com")
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for range 2 {
				response, err := transport.RoundTrip(r)
				require.NoError(t, err)
				var metadata struct{ Resource string }
				require.NoError(t, json.NewDecoder(response.Body).Decode(&metadata))
				require.NoError(t, response.Body.Close())
				require.Equal(t, tc.resource+"/mcp", metadata.Resource)
			}
			require.Equal(t, tc.warnings, strings.Count(b.Logs.String(), "forwarding headers are ignored"))
		})
	}
}
