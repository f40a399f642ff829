package cluster

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func program(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

func TestTheNewestServerIsFound(t *testing.T) {
	root := t.TempDir()
	pattern := filepath.Join(root, "*", "bin")
	_, ok := findBinaries([]string{root}, []string{pattern})
	require.False(t, ok)
	for _, version := range []string{"15", "17"} {
		program(t, filepath.Join(root, version, "bin", "initdb"), "")
		program(t, filepath.Join(root, version, "bin", "pg_ctl"), "")
	}
	program(t, filepath.Join(root, "18", "bin", "pg_ctl"), "") // only a part of it
	dir, ok := findBinaries([]string{root}, []string{pattern})
	require.True(t, ok)
	require.Equal(t, filepath.Join(root, "17", "bin"), dir)
	chosen := filepath.Join(root, "15", "bin")
	dir, ok = findBinaries([]string{chosen}, []string{pattern})
	require.True(t, ok)
	require.Equal(t, chosen, dir)
}

// fakeMachine has no PostgreSQL, and an apt-get that does what its text says.
func fakeMachine(t *testing.T, aptGet string) (installed string) {
	t.Helper()
	root := t.TempDir()
	program(t, filepath.Join(root, "path", "apt-get"), "#!/bin/sh\n"+aptGet)
	oldPlaces, oldClusters := places, debianClusters
	t.Cleanup(func() { places, debianClusters = oldPlaces, oldClusters })
	places = []string{filepath.Join(root, "lib", "*", "bin")}
	debianClusters = filepath.Join(root, "etc", "createcluster.conf")
	t.Setenv("PATH", filepath.Join(root, "path"))
	installed = filepath.Join(root, "lib", "15", "bin")
	t.Setenv("INSTALLED", installed)
	return installed
}

func TestAMissingServerIsInstalled(t *testing.T) {
	installed := fakeMachine(t, `
PATH=/bin:/usr/bin
if [ "$1" = install ]; then mkdir -p "$INSTALLED" && cp "$0" "$INSTALLED/initdb" && cp "$0" "$INSTALLED/pg_ctl"; fi`)
	dir, err := binaries(context.Background())
	if os.Geteuid() != 0 {
		require.ErrorContains(t, err, "only root can install packages")
		return
	}
	require.NoError(t, err)
	require.Equal(t, installed, dir)
	text, err := os.ReadFile(debianClusters)
	require.NoError(t, err)
	require.Contains(t, string(text), "create_main_cluster = false")
}

func TestAFailedInstallationSaysWhy(t *testing.T) {
	fakeMachine(t, "echo no network today >&2; exit 100")
	_, err := binaries(context.Background())
	require.ErrorContains(t, err, "initdb and pg_ctl")
	if os.Geteuid() == 0 {
		require.ErrorContains(t, err, "no network today")
	}
}
