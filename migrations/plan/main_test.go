package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runPlan runs the command and returns its output.
func runPlan(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(context.Background(), args, &out)
	return out.String(), err
}

// emptyDir returns a directory without migrations.
func emptyDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, engine := range []string{"sqlite", "postgres"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, engine), 0o700))
	}
	_, err := runPlan(t, "-dir", dir, "-rehash")
	require.NoError(t, err)
	return dir
}

func TestCheck_Repository_MatchesEntSchema(t *testing.T) {
	_, err := runPlan(t, "-dir", "..", "-check")
	require.NoError(t, err)
}

func TestRun_Twice_WritesMigrationOnce(t *testing.T) {
	dir := emptyDir(t)
	_, err := runPlan(t, "-dir", dir, "-check")
	require.ErrorContains(t, err, "make migration")
	require.ErrorContains(t, err, "CREATE TABLE")

	out, err := runPlan(t, "-dir", dir, "initial")
	require.NoError(t, err)
	for _, engine := range []string{"sqlite", "postgres"} {
		files, err := filepath.Glob(filepath.Join(dir, engine, "*_initial.sql"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.Contains(t, out, files[0])
	}
	_, err = runPlan(t, "-dir", dir, "-check")
	require.NoError(t, err)

	out, err = runPlan(t, "-dir", dir, "again")
	require.NoError(t, err)
	require.Contains(t, out, "sqlite: nothing to do")
	require.Contains(t, out, "postgres: nothing to do")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*_again.sql"))
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestCheck_AddedFile_NeedsRehash(t *testing.T) {
	dir := emptyDir(t)
	extra := filepath.Join(dir, "sqlite", "20260101000000_extra.sql")
	require.NoError(t, os.WriteFile(extra, []byte("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n"), 0o600))
	_, err := runPlan(t, "-dir", dir, "-check")
	require.ErrorContains(t, err, "checksum")
	_, err = runPlan(t, "-dir", dir, "-rehash")
	require.NoError(t, err)
	_, err = runPlan(t, "-dir", dir, "-check")
	require.ErrorContains(t, err, "do not match ent/schema")
}

func TestRun_InvalidName_ReturnsError(t *testing.T) {
	for _, name := range []string{"", "Add Color", "../up"} {
		_, err := runPlan(t, "-dir", t.TempDir(), name)
		require.ErrorContains(t, err, "name the migration", name)
	}
}
