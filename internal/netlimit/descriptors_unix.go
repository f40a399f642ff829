//go:build unix

package netlimit

import (
	"math"
	"syscall"
)

// Descriptors returns the maximum number of open file descriptors of this process, connections included; ok is false
// when there is none.
func Descriptors() (limit int, ok bool) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	soft := uint64(r.Cur) //nolint:unconvert // it is signed on some systems
	if soft > math.MaxInt32 {
		return 0, false
	}
	return int(soft), true
}
