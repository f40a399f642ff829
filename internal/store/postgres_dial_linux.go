package store

import (
	"errors"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which the package syscall lacks.
const tcpUserTimeout = 18

// setUserTimeout bounds the time that sent data may remain unacknowledged.
func setUserTimeout(conn syscall.RawConn, d time.Duration) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	})
	return errors.Join(err, failed)
}
