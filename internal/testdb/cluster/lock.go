package cluster

import (
	"errors"
	"os"
	"syscall"
)

// A lock on a file is dropped by the kernel when its process ends, however it ends.

// lockFile opens path, creating it, and takes the lock: syscall.LOCK_SH or
// LOCK_EX, with LOCK_NB to fail with EWOULDBLOCK rather than wait.
func lockFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isStill reports whether path names the open file: it may have been removed while we waited for its lock.
func isStill(path string, f *os.File) bool {
	now, errNow := os.Stat(path)
	held, errHeld := f.Stat()
	return errNow == nil && errHeld == nil && os.SameFile(now, held)
}
