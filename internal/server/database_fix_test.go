package server

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestDatabaseFix_EachFault_SaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		url  string
		err  error
		want string
	}{
		{"postgres://127.0.0.1:1/db", syscall.ECONNREFUSED, "that the database server runs"},
		{"sqlite:" + dir, syscall.EISDIR, "such as sqlite:" + filepath.Join(dir, "errand.db")},
		{"sqlite:" + dir + "/x.db", syscall.EROFS, "writable for this user"},
		{"sqlite:" + dir + "/x.db", &fs.PathError{Err: syscall.EACCES}, "writable for this user"},
		{"sqlite:" + dir + "/x.db", syscall.ENOSPC, "the disk is full"},
		{"sqlite:" + dir + "/x.db", syscall.EIO, "check DATABASE_URL"},
	} {
		cfg, err := config.Load(map[string]string{"DATABASE_URL": c.url}, "")
		require.NoError(t, err)
		require.Contains(t, databaseFix(cfg.Database, c.err), c.want)
	}
}
