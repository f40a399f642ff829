package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByteHigh is the upper half of the position of the locked byte, far behind the content: locks are mandatory on
// Windows, and other processes must be able to read the content.
const lockedByteHigh = 1 << 30

// tryLockFile takes the operating system's lock on an open file, exclusive or shared, without waiting. It reports
// false when another open file, of this or another process, holds a conflicting lock. The system releases the lock
// when the file is closed and when the process ends, however it ends.
func tryLockFile(file *os.File, exclusive bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockedByteHigh})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// hardLinks returns 1: on Windows it does not count the names of a file.
func hardLinks(string) (int, error) { return 1, nil }
