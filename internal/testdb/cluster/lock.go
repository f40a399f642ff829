package cluster

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens or creates path and locks it. The mode is syscall.LOCK_SH or LOCK_EX, with LOCK_NB to fail with
// EWOULDBLOCK instead of waiting. The kernel releases the lock when the file is closed or the process ends.
func lockFile(path string, mode int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, mode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// flock applies a lock operation and retries it after signals.
func flock(f *os.File, mode int) error {
	for {
		err := syscall.Flock(int(f.Fd()), mode)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isSameFile reports whether path still names the open file, which may have been removed while waiting for its lock.
func isSameFile(path string, f *os.File) bool {
	atPath, errPath := os.Stat(path)
	opened, errOpened := f.Stat()
	return errPath == nil && errOpened == nil && os.SameFile(atPath, opened)
}
