package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errand/internal/apperr"
)

// The causes with which a handler's context is cancelled (context.Cause). Do and Finish return them too.
var (
	// ErrLeaseLost means that the run belongs to another attempt now, is finished or was deleted.
	ErrLeaseLost = errors.New("run: lease lost")
	// ErrCancelled means that the user has cancelled the run.
	ErrCancelled = errors.New("run: cancelled by the user")
	// ErrShutdown means that this replica is shutting down; the run is handed over.
	ErrShutdown = errors.New("run: replica is shutting down")
)

// errNotFinished reports a bug of the handler: it returned nil without having called Finish.
var errNotFinished = errors.New("run: handler returned without finishing the run")

// errPanicked stands for a handler's panic, whose value is not logged because it may hold user content.
var errPanicked = errors.New("run: handler panicked")

// permanentError is an error that a retry cannot fix.
type permanentError struct {
	code  apperr.Code
	cause error
}

func (p *permanentError) Error() string {
	return fmt.Sprintf("run: permanent failure (%s): %v", p.code, p.cause)
}
func (p *permanentError) Unwrap() error { return p.cause }

// PermanentError returns an error with which a handler ends its run as FAILED with the code, without
// retries. The cause, which may be nil, is logged.
func PermanentError(code apperr.Code, cause error) error {
	return &permanentError{code: code, cause: cause}
}

// reasonOf returns the exact reason of a failure: that of the first error in err's chain that has one, else "".
func reasonOf(err error) string {
	var e interface{ FailureReason() string }
	if errors.As(err, &e) {
		return e.FailureReason()
	}
	return ""
}

// retryAfterError is a failure with its own retry delay.
type retryAfterError struct {
	after time.Duration
	cause error
}

func (d *retryAfterError) Error() string {
	return fmt.Sprintf("run: retry after %s: %v", d.after, d.cause)
}
func (d *retryAfterError) Unwrap() error { return d.cause }

// RetryAfter returns an error that counts as a failure like any other, but whose retry starts after the given
// delay, at most 5 minutes. A delay that is not positive means the usual backoff.
func RetryAfter(err error, after time.Duration) error {
	return &retryAfterError{after: after, cause: err}
}

// contextCause returns the engine's reason for the end of ctx, or err when it had none: database
// drivers report their own errors for a cancelled context.
func contextCause(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err != nil && (errors.Is(cause, ErrLeaseLost) || errors.Is(cause, ErrCancelled) || errors.Is(cause, ErrShutdown)) {
		return cause
	}
	return err
}

// errorText returns err's text for the log, with the cause that the text of an apperr.Error leaves out.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	var e *apperr.Error
	if errors.As(err, &e) {
		if cause := e.Unwrap(); cause != nil {
			return err.Error() + " (" + cause.Error() + ")"
		}
	}
	return err.Error()
}
