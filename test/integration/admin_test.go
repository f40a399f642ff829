package integration

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// adminStatus returns the status of a request to the admin listener, over loopback, with these headers. The name Host
// sets the Host header.
func adminStatus(t *testing.T, b *harness.Env, path string, headers ...string) int {
	t.Helper()
	port := regexp.MustCompile(`http://[^"]*:(\d+)/metrics`).FindStringSubmatch(b.Logs.String())
	require.NotEmpty(t, port)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port[1]+path, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = r.Header.Get("Host")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	return response.StatusCode
}

func TestAdmin_Loopback_RejectsPagesAndForeignHosts(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"ADMIN_ADDR": "127.0.0.1:0"})
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap"} {
		require.Equal(t, 200, adminStatus(t, b, path), path)
		require.Equal(t, 403, adminStatus(t, b, path, "Host", "evil.example"), path)
		require.Equal(t, 403, adminStatus(t, b, path, "Sec-Fetch-Site", "cross-site"), path)
		require.Equal(t, 403, adminStatus(t, b, path, "Origin", "https://evil.example"), path)
	}
}

func TestAdmin_BeyondLoopback_ServesMetricsOnly(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t),
		harness.Settings{"ADMIN_ADDR": "0.0.0.0:0", "ADMIN_HOSTS": "errand.internal"})
	for _, host := range []string{"", "10.0.0.5:8090", "errand-1:8090", "errand.internal"} {
		require.Equal(t, 200, adminStatus(t, b, "/metrics", "Host", host), host)
		require.Equal(t, 404, adminStatus(t, b, "/debug/pprof/", "Host", host), host)
		require.Equal(t, 404, adminStatus(t, b, "/debug/pprof/heap", "Host", host), host)
	}
	require.Equal(t, 403, adminStatus(t, b, "/metrics", "Host", "evil.example"))
	require.Equal(t, 403, adminStatus(t, b, "/metrics", "Sec-Fetch-Site", "cross-site"))
}

// TestMetrics_OperationNames_OfSignedInUsersOnly checks that only operations that a signed-in user may execute become
// label values, and that one user cannot take all of them.
func TestMetrics_OperationNames_OfSignedInUsersOnly(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.Settings{"ADMIN_ADDR": "127.0.0.1:0"})
	anonymous := testclient.New(t, b.URL(), "")
	alice, bob := b.Client(t, "alice"), b.Client(t, "bob")
	anonymous.Try(t, `query OfNobody { __typename }`, nil)
	anonymous.Try(t, `query RefusedOfNobody { nothing }`, nil)
	alice.Try(t, `query RefusedOfAlice { nothing }`, nil)
	for i := range 60 {
		require.Empty(t, alice.Try(t, fmt.Sprintf(`query Alice%d { __typename }`, i), nil).ErrorCode())
	}
	bob.Try(t, `query OfBob { __typename }`, nil)
	bob.Try(t, `query Alice0 { __typename }`, nil)

	metrics := metricsOf(t, b)
	names := map[string]bool{}
	label := regexp.MustCompile(`errand_operation_seconds_count\{.*name="([^"]*)"`)
	for _, m := range label.FindAllStringSubmatch(metrics, -1) {
		names[m[1]] = true
	}
	require.NotContains(t, metrics, "OfNobody")
	require.NotContains(t, metrics, "RefusedOfAlice")
	require.Contains(t, names, "OfBob")
	require.Contains(t, names, "other")
	require.Contains(t, names, "")
	require.Len(t, names, 50+3)
}
