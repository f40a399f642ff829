package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errand/internal/apperr"
)

// The causes with which a handler's context is cancelled (context.Cause) and
// which Do and Finish return.
var (
	// ErrLeaseLost means that the run now belongs to another attempt, is terminal or is gone.
	ErrLeaseLost = errors.New("runs: the lease is lost")
	// ErrCancelled means that the run's person wants it stopped.
	ErrCancelled = errors.New("runs: cancelled by its person")
	// ErrShutdown means that this replica stops; the run is handed over.
	ErrShutdown = errors.New("runs: the replica shuts down")
)

// errUnfinished is a handler's bug: it returned nil without having called Finish.
var errUnfinished = errors.New("runs: the handler returned without finishing the run")

// errPanicked stands in for a handler's panic; the value itself is not logged because it may hold content.
var errPanicked = errors.New("runs: the handler panicked")

// permanentError is an error that no further attempt can mend.
type permanentError struct {
	code  apperr.Code
	cause error
}

func (p *permanentError) Error() string {
	return fmt.Sprintf("runs: failed for good (%s): %v", p.code, p.cause)
}
func (p *permanentError) Unwrap() error { return p.cause }

// PermanentError makes an error that ends the run as FAILED with the code at once. The cause,
// which may be nil, is logged.
func PermanentError(code apperr.Code, cause error) error { return &permanentError{code: code, cause: cause} }

// delayedError is a failure whose next attempt has its own delay.
type delayedError struct {
	after time.Duration
	cause error
}

func (d *delayedError) Error() string {
	return fmt.Sprintf("runs: to be tried again after %s: %v", d.after, d.cause)
}
func (d *delayedError) Unwrap() error { return d.cause }

// RetryAfter makes an error that counts as a failure like any other, but whose next attempt
// starts after the given delay, at most 5 minutes. Without a positive delay the usual backoff holds.
func RetryAfter(err error, after time.Duration) error { return &delayedError{after: after, cause: err} }

// cause gives the engine's reason for a context's end, or err where the engine had none:
// database drivers report their own errors for a cancelled context.
func cause(ctx context.Context, err error) error {
	why := context.Cause(ctx)
	if err != nil && (errors.Is(why, ErrLeaseLost) || errors.Is(why, ErrCancelled) || errors.Is(why, ErrShutdown)) {
		return why
	}
	return err
}
