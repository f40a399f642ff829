package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// systemdAnalyze returns the path of systemd-analyze, and installs it on a Debian machine without it.
func systemdAnalyze(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("systemd-analyze"); err == nil {
		return path
	}
	require.True(t, isRoot(), "systemd-analyze is needed: install systemd")
	for _, args := range [][]string{
		{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "systemd"},
	} {
		install := exec.CommandContext(t.Context(), "apt-get", args...)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, err := install.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	path, err := exec.LookPath("systemd-analyze")
	require.NoError(t, err)
	return path
}

// TestSystemdUnit_IsValidAndLocked has systemd check the unit and rate its exposure, from 0 to 100.
func TestSystemdUnit_IsValidAndLocked(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(root, "ops/errand.service"))
	require.NoError(t, err)
	executable, err := harness.BuildBinary()
	require.NoError(t, err)
	require.Contains(t, string(content), "\nExecStart=/usr/local/bin/errand serve\n")
	unit := filepath.Join(t.TempDir(), "errand.service")
	text := strings.ReplaceAll(string(content), "ExecStart=/usr/local/bin/errand", "ExecStart="+executable)
	require.NoError(t, os.WriteFile(unit, []byte(text), 0o600))

	analyze := systemdAnalyze(t)
	verify := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit)
	out, err := verify.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), unit, "warnings about the unit")
	security := exec.CommandContext(
		t.Context(),
		analyze,
		"security",
		"--no-pager",
		"--offline=true",
		"--threshold=15",
		unit,
	)
	out, err = security.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `exposure level for errand\.service: 1\.\d OK`, string(out))
}
