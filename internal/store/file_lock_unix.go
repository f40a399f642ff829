//go:build !windows

package store

import (
	"errors"
	"os"
	"syscall"
)

// tryLockFile takes the operating system's lock on an open file, exclusive or shared, without waiting. It reports
// false when another open file, of this or another process, holds a conflicting lock. The system releases the lock
// when the file is closed and when the process ends, however it ends. The lock is advisory: the file stays readable.
func tryLockFile(file *os.File, exclusive bool) (bool, error) {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return err == nil, err
		}
	}
}

// hardLinks returns the number of names that the file has.
func hardLinks(path string) (int, error) {
	var info syscall.Stat_t
	if err := syscall.Stat(path, &info); err != nil {
		return 0, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return int(info.Nlink), nil
}
