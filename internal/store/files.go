package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ExposedFile is a file that other users of the machine may read or write, or a folder in which they may replace files.
type ExposedFile struct {
	Path string
	Mode fs.FileMode
}

// String describes the file.
func (f ExposedFile) String() string {
	if f.Mode.IsDir() {
		return fmt.Sprintf("%s has mode %04o: others may replace its files", f.Path, f.Mode.Perm())
	}
	return fmt.Sprintf("%s has mode %04o instead of 0600", f.Path, f.Mode.Perm())
}

// Fix returns the shell command that ends the access of others.
func (f ExposedFile) Fix() string {
	if f.Mode.IsDir() {
		return "chmod go-w " + shellQuote(f.Path)
	}
	return "chmod go= " + shellQuote(f.Path)
}

// ExposedFiles returns which of the private files at paths, of the files that SQLite keeps beside them and of their
// folders are exposed. Missing files are left out.
func ExposedFiles(paths ...string) (exposed []ExposedFile) {
	if runtime.GOOS == "windows" { // access lists decide there, not modes
		return nil
	}
	folders := map[string]bool{}
	for _, path := range paths {
		if resolved, err := resolveSQLitePath(path); err == nil {
			path = resolved
		}
		for _, suffix := range []string{"", "-wal", "-shm", serverLockSuffix, migrationLockSuffix} {
			info, err := os.Stat(path + suffix)
			if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
				exposed = append(exposed, ExposedFile{path + suffix, info.Mode()})
			}
		}
		folder := filepath.Dir(path)
		if info, err := os.Stat(folder); err == nil && !folders[folder] {
			folders[folder] = true
			if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
				exposed = append(exposed, ExposedFile{folder, info.Mode()})
			}
		}
	}
	return exposed
}

// createPrivateFile creates a file that only its owner can read and write. It fails with os.ErrExist when there is one.
func createPrivateFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}
