package integration

import (
	"strings"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestServe_StartLogAndBuildInfo_NameVersionDatabaseAndModel runs the program, and its health check against it.
func TestServe_StartLogAndBuildInfo_NameVersionDatabaseAndModel(t *testing.T) {
	t.Parallel()
	p := harness.StartProcess(t, testdb.SQLiteURL(t), harness.Settings{
		"ADMIN_ADDR": "127.0.0.1:0", "LLM_PROVIDER": "anthropic", "LLM_MODEL": "claude-test", "ANTHROPIC_API_KEY": "key",
	})
	line := p.Serving
	require.Equal(t, "anthropic", line["provider"])
	require.Equal(t, "anthropic/claude-test", line["model"])
	require.Contains(t, line["database"], "sqlite:")
	require.Equal(t, "development", line["environment"])
	require.NotEmpty(t, line["version"])
	require.Regexp(t, `(?m)^errand_build_info\{goversion="go1[^"]+",revision="[^"]+",version="`+
		line["version"].(string)+`"\} 1$`, p.ReadMetrics())

	addr := harness.Settings{"ADDR": strings.TrimPrefix(p.URL, "http://"), "BETTER_AUTH_SECRET": harness.Secret}
	require.Equal(t, "ok\n", harness.RunCommand(t, addr, "health"))
	p.Kill()
	out, err := harness.Command(t, addr, "health").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "the server does not respond")
}
