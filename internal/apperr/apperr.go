// Package apperr is Errand's error vocabulary: a closed list of codes, a message
// that is safe to show to anyone, and a redacting default for everything else.
package apperr

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code is the machine-readable half of an error, sent to clients as
// extensions.code. The list is closed: clients switch on it.
type Code string

// The codes of the contract.
const (
	Unauthenticated       Code = "UNAUTHENTICATED"
	Forbidden             Code = "FORBIDDEN"
	NotFound              Code = "NOT_FOUND"
	BadUserInput          Code = "BAD_USER_INPUT"
	Conflict              Code = "CONFLICT"
	RateLimited           Code = "RATE_LIMITED"
	ComplexityLimit       Code = "COMPLEXITY_LIMIT_EXCEEDED"
	GraphQLParseFailed    Code = "GRAPHQL_PARSE_FAILED"
	GraphQLValidateFailed Code = "GRAPHQL_VALIDATION_FAILED"
	Unavailable           Code = "SERVICE_UNAVAILABLE"
	Internal              Code = "INTERNAL_SERVER_ERROR"
)

// Error is an error that may be shown to the person who caused it.
type Error struct {
	Code Code
	// Message is complete, safe and in plain words: no SQL, no secrets, no other person's data.
	Message string
	// Field is the faulty input field or argument as the API names it ("title", "first"); BadUserInput only.
	Field string
	// RetryAfter is how long to wait before the same call may succeed; RateLimited and Unavailable only.
	RetryAfter time.Duration
	// cause is logged, never shown.
	cause error
}

// Error implements error with the safe message alone.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the logged cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// Extensions returns the machine-readable members of e as clients see them: code, and field and
// retryAfterMs when they apply. GraphQL and the Model Context Protocol both send them.
func (e *Error) Extensions() map[string]any {
	extensions := map[string]any{"code": string(e.Code)}
	if e.Field != "" {
		extensions["field"] = e.Field
	}
	if e.RetryAfter > 0 {
		extensions["retryAfterMs"] = e.RetryAfter.Milliseconds()
	}
	return extensions
}

// New makes an error with a safe message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid reports a fault in the input field or argument of that name.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: BadUserInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Missing is the one answer for rows that do not exist and for rows that belong
// to somebody else, so that the two cannot be told apart.
func Missing(what string) *Error { return New(NotFound, "No such %s.", what) }

// TooMany reports a limit that opens again after the given wait.
func TooMany(wait time.Duration, format string, args ...any) *Error {
	return &Error{Code: RateLimited, Message: fmt.Sprintf(format, args...), RetryAfter: wait}
}

// Wrap attaches a cause for the log to an error whose message stays safe.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), cause: cause}
}

// From finds the Error in err's chain. Everything unknown becomes Internal with
// a fixed message and err as its cause: the caller logs the cause, shows the message.
func From(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return Wrap(err, Unavailable, "The operation took too long and was stopped.")
	case errors.Is(err, context.Canceled):
		return Wrap(err, Unavailable, "The operation was cancelled.")
	default:
		return Wrap(err, Internal, "Something went wrong on our side.")
	}
}

// CodeOf is From(err).Code, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}
