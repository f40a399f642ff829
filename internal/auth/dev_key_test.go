package auth

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadOrCreateDevKey_SecondCall_SameKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "dev.key")
	key, err := LoadOrCreateDevKey(path)
	require.NoError(t, err)
	require.Len(t, key, 32)
	again, err := LoadOrCreateDevKey(path)
	require.NoError(t, err)
	require.Equal(t, key, again)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1, "the temporary file is removed")
}

func TestLoadOrCreateDevKey_Concurrent_SameKey(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "dev.key")
		keys := make([][]byte, 16)
		errs := make([]error, len(keys))
		var all sync.WaitGroup
		for n := range keys {
			all.Go(func() { keys[n], errs[n] = LoadOrCreateDevKey(path) })
		}
		all.Wait()
		for n, key := range keys {
			require.NoError(t, errs[n])
			require.Len(t, key, devKeyBytes)
			require.Equal(t, keys[0], key)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, files, 1)
	}
}

func TestLoadOrCreateDevKey_InvalidFiles_Errors(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short.key")
	require.NoError(t, os.WriteFile(short, []byte("hunter2"), 0o600))
	_, err := LoadOrCreateDevKey(short)
	require.ErrorContains(t, err, "delete it")
	require.NotContains(t, err.Error(), "hunter2")

	_, err = LoadOrCreateDevKey(dir)
	require.Error(t, err, "a directory")
	_, err = LoadOrCreateDevKey(filepath.Join(short, "dev.key"))
	require.Error(t, err, "a file as the directory")
}

func TestLoadOrCreateDevKey_OpenPermissions_Restricted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dev.key")
	key, err := LoadOrCreateDevKey(path)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o644))
	again, err := LoadOrCreateDevKey(path)
	require.NoError(t, err)
	require.Equal(t, key, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
