package cluster

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

func TestFindBinaries_SeveralVersions_ReturnsPathThenNewest(t *testing.T) {
	root := t.TempDir()
	pattern := filepath.Join(root, "*", "bin")
	_, ok := findBinaries([]string{root}, []string{pattern})
	require.False(t, ok)
	for _, version := range []string{"15", "17"} {
		writeProgram(t, filepath.Join(root, version, "bin", "initdb"), "")
		writeProgram(t, filepath.Join(root, version, "bin", "pg_ctl"), "")
	}
	writeProgram(t, filepath.Join(root, "18", "bin", "pg_ctl"), "") // incomplete: no initdb
	dir, ok := findBinaries([]string{root}, []string{pattern})
	require.True(t, ok)
	require.Equal(t, filepath.Join(root, "17", "bin"), dir)
	chosen := filepath.Join(root, "15", "bin")
	dir, ok = findBinaries([]string{chosen}, []string{pattern})
	require.True(t, ok)
	require.Equal(t, chosen, dir)
}

// withoutPostgres hides installed PostgreSQL versions from the test and provides an apt-get with the given script. It
// returns the directory in which the script may install the programs.
func withoutPostgres(t *testing.T, aptGet string) (installed string) {
	t.Helper()
	root := t.TempDir()
	writeProgram(t, filepath.Join(root, "path", "apt-get"), "#!/bin/sh\n"+aptGet)
	oldPatterns, oldClusters := searchPatterns, createClusterConfig
	t.Cleanup(func() { searchPatterns, createClusterConfig = oldPatterns, oldClusters })
	searchPatterns = []string{filepath.Join(root, "lib", "*", "bin")}
	createClusterConfig = filepath.Join(root, "etc", "createcluster.conf")
	t.Setenv("PATH", filepath.Join(root, "path"))
	installed = filepath.Join(root, "lib", "15", "bin")
	t.Setenv("INSTALLED", installed)
	return installed
}

func TestFindOrInstallBinaries_NoServer_InstallsIt(t *testing.T) {
	installed := withoutPostgres(t, `
PATH=/bin:/usr/bin
if [ "$1" = install ]; then mkdir -p "$INSTALLED" && cp "$0" "$INSTALLED/initdb" && cp "$0" "$INSTALLED/pg_ctl"; fi`)
	dir, err := findOrInstallBinaries(context.Background())
	if os.Geteuid() != 0 {
		require.ErrorContains(t, err, "only root can install packages")
		return
	}
	require.NoError(t, err)
	require.Equal(t, installed, dir)
	text, err := os.ReadFile(createClusterConfig)
	require.NoError(t, err)
	require.Contains(t, string(text), "create_main_cluster = false")
}

func TestFindOrInstallBinaries_InstallFails_ReturnsOutput(t *testing.T) {
	withoutPostgres(t, "echo no network >&2; exit 100")
	_, err := findOrInstallBinaries(context.Background())
	require.ErrorContains(t, err, "initdb and pg_ctl")
	if os.Geteuid() == 0 {
		require.ErrorContains(t, err, "no network")
	}
}
