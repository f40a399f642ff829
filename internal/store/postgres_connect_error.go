package store

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// isTransientConnectError reports whether a connection attempt failed because the server does not accept connections
// yet. Everything else is permanent: a wrong password, an unknown database or host, a rejected option, TLS.
//
// An attempt tries several addresses, and without TLS after a failure with TLS, so there may be several reasons. The
// server's own answer decides before anything else. A failure of TLS decides before an address that does not answer:
// "localhost" has two addresses, of which one may have no server.
func isTransientConnectError(err error) bool {
	transient, permanent := false, false
	for _, leaf := range leafErrors(err) {
		var response *pgconn.PgError
		var dns *net.DNSError
		switch {
		case errors.As(leaf, &response):
			return isStartingUp(response)
		case errors.As(leaf, &dns) && dns.IsNotFound:
			// Of several hosts, one may be gone while another one starts.
		case isUnreachable(leaf):
			transient = true
		default:
			permanent = true
		}
	}
	return transient && !permanent
}

// leafErrors returns the errors that err joins, at any depth.
func leafErrors(err error) []error {
	for e := err; e != nil; {
		switch wrapped := e.(type) { //nolint:errorlint // it walks the tree itself
		case interface{ Unwrap() []error }:
			var leaves []error
			for _, one := range wrapped.Unwrap() {
				leaves = append(leaves, leafErrors(one)...)
			}
			return leaves
		case interface{ Unwrap() error }:
			e = wrapped.Unwrap()
		default:
			return []error{err}
		}
	}
	return nil
}

// isStartingUp reports whether the server, or a pooler before it, rejected the connection for a reason that passes.
func isStartingUp(response *pgconn.PgError) bool {
	const protocolViolation = "08P01"
	if response.Code == protocolViolation { // PgBouncer has this code for everything
		message := strings.ToLower(response.Message)
		return slices.ContainsFunc(poolerWaits, func(text string) bool { return strings.Contains(message, text) })
	}
	return isTransientSQLState(response.Code)
}

// poolerWaits are parts of PgBouncer's messages about a server that is down or starting.
var poolerWaits = []string{
	"try again", "server login", "server conn crashed", "cannot connect", "connect failed", "shutting down",
	"timeout", "timed out", "no more connections", "starting up", "paused",
}

// isUnreachable reports whether nothing answers at the address, or what answers is not ready.
func isUnreachable(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Net == "unix" && errors.Is(err, syscall.ENOENT) {
		// The socket appears when the server starts; its directory was there before.
		_, missing := os.Stat(filepath.Dir(op.Addr.String()))
		return missing == nil
	}
	for _, passing := range passingErrors {
		if errors.Is(err, passing) {
			return true
		}
	}
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// passingErrors are errors of an address at which nothing answers, or nothing that is ready.
var passingErrors = []error{
	ErrReadOnly, errSkipped, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded,
	syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
}
