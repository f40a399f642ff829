//go:build !linux

package store

import (
	"syscall"
	"time"
)

// setUserTimeout does nothing: only Linux has the setting, and the others rely on keep-alive probes.
func setUserTimeout(syscall.RawConn, time.Duration) error { return nil }
