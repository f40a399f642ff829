// Package apperr defines the errors that clients see: a code from a closed list and a message that is safe to display.
// All other errors are redacted by From, so that an unexpected error never leaks SQL or another user's data.
package apperr

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code is the machine-readable kind of an error, sent as extensions.code. The list is closed, because clients switch
// on it.
type Code string

// Error codes.
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

// Error is an error that may be sent to the client.
type Error struct {
	Code Code
	// Message is a complete sentence without SQL, secrets or other users' data.
	Message string
	// Field is the invalid input field or argument by its name in the API ("title", "first"). Only for BadUserInput.
	Field string
	// Scope is the scope that the token lacks ("tasks:write"). Only for Forbidden.
	Scope string
	// RetryAfter is the time after which a retry may succeed; 0 if unknown. Only for RateLimited and Unavailable.
	RetryAfter time.Duration
	// Limit is the name of the exceeded quota ("tasks", "conversations", "bytes") and Max its value. Only for Forbidden.
	Limit string
	Max   int64
	// cause is logged and never sent.
	cause error
}

// Error returns the message, without the cause.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.cause }

// Extensions returns the machine-readable members of the error: code and, if set, field, scope, retryAfterMs, and
// limit with max. They are sent over GraphQL as extensions and over the Model Context Protocol as error data.
func (e *Error) Extensions() map[string]any {
	extensions := map[string]any{"code": string(e.Code)}
	if e.Field != "" {
		extensions["field"] = e.Field
	}
	if e.Scope != "" {
		extensions["scope"] = e.Scope
	}
	if e.RetryAfter > 0 {
		extensions["retryAfterMs"] = e.RetryAfter.Milliseconds()
	}
	if e.Limit != "" {
		extensions["limit"], extensions["max"] = e.Limit, e.Max
	}
	return extensions
}

// New returns an error with a message that is safe to display.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns a BadUserInput error for the given input field or argument.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: BadUserInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Missing returns the NotFound error for an object of the given kind. It is used for missing objects and for those of
// other users alike, so that the two are indistinguishable.
func Missing(what string) *Error { return New(NotFound, "No such %s.", what) }

// MissingScope returns the Forbidden error for a token without the scope that the operation needs.
func MissingScope(scope string) *Error {
	e := New(Forbidden, "The token lacks the scope %s.", scope)
	e.Scope = scope
	return e
}

// TooMany returns a RateLimited error for a limit that resets after the given time.
func TooMany(wait time.Duration, format string, args ...any) *Error {
	return &Error{Code: RateLimited, Message: fmt.Sprintf(format, args...), RetryAfter: wait}
}

// OverQuota returns a Forbidden error for a quota of the user that is used up.
func OverQuota(limit string, maximum int64, format string, args ...any) *Error {
	return &Error{Code: Forbidden, Message: fmt.Sprintf(format, args...), Limit: limit, Max: maximum}
}

// Wrap returns an error with a message that is safe to display and a cause for the log.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), cause: cause}
}

// From returns the Error in err's chain. Other errors become Unavailable (deadline exceeded, cancelled) or Internal,
// with a fixed message and err as the cause. From(nil) is nil.
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

// CodeOf returns From(err).Code, or "" if err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// IsOfCaller reports whether the code stands for a fault of the caller: the request had no effect, and the work around
// it, such as a transaction, may go on. Other errors end it.
func (c Code) IsOfCaller() bool {
	switch c {
	case BadUserInput, NotFound, Conflict, RateLimited, Forbidden:
		return true
	default:
		return false
	}
}
