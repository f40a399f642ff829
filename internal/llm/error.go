package llm

import (
	"errors"
	"fmt"
	"time"

	"errand/internal/apperr"
)

// Kind is the reason a model call failed. The list is closed.
type Kind string

// The kinds of failure.
const (
	// KindAuth: the key is missing, wrong, not allowed, or its account has no credit.
	KindAuth Kind = "auth"
	// KindRateLimit: the provider counts our requests or tokens and we sent too many.
	KindRateLimit Kind = "rate_limit"
	// KindOverloaded: the provider has no capacity just now.
	KindOverloaded Kind = "overloaded"
	// KindBadRequest: the provider will refuse this request however often it is sent.
	KindBadRequest Kind = "bad_request"
	// KindTruncated: the answer broke off or cannot be used, such as half a tool call.
	KindTruncated Kind = "truncated"
	// KindTimeout: the provider went silent, or the caller's deadline passed.
	KindTimeout Kind = "timeout"
	// KindCancelled: the caller's context was cancelled or its streaming function refused a chunk.
	KindCancelled Kind = "cancelled"
	// KindUnavailable: the provider cannot be reached, failed inside, or does not speak its protocol.
	KindUnavailable Kind = "unavailable"
)

// Error is a failed model call. Its text is written by this package alone:
// provider messages may quote keys or prompts and are never kept.
type Error struct {
	Kind     Kind
	Provider string
	// Status is the HTTP status of the answer, 0 when there was none.
	Status int
	// RetryAfter is the wait the provider asked for, 0 when it named none.
	RetryAfter time.Duration
	// Detail says what happened, in this program's words, for the log.
	Detail string
	cause  error
}

// Error implements error; the text is safe to log.
func (e *Error) Error() string {
	s := e.Provider + ": " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause: a context error, the streaming function's error, or
// an operating system error.
func (e *Error) Unwrap() error { return e.cause }

// As lets [apperr.From] find the public form of the error.
func (e *Error) As(target any) bool {
	t, ok := target.(**apperr.Error)
	if !ok {
		return false
	}
	code, message := e.public()
	*t = apperr.Wrap(e, code, "%s", message)
	(*t).RetryAfter = e.RetryAfter
	return true
}

func (e *Error) public() (apperr.Code, string) {
	switch e.Kind {
	case KindAuth:
		return apperr.Unavailable, "The model provider does not accept this server's credentials."
	case KindRateLimit:
		return apperr.RateLimited, "The model provider is limiting requests. Please try again shortly."
	case KindOverloaded:
		return apperr.Unavailable, "The model provider is overloaded. Please try again shortly."
	case KindBadRequest:
		return apperr.Internal, "The model provider refused this request."
	case KindTruncated:
		return apperr.Unavailable, "The model's answer broke off. Please try again."
	case KindTimeout:
		return apperr.Unavailable, "The model took too long to answer. Please try again."
	case KindCancelled:
		return apperr.Unavailable, "The reply was cancelled."
	default:
		return apperr.Unavailable, "The model provider cannot be reached. Please try again shortly."
	}
}

// KindOf finds the kind in err's chain, "" when err is not a model failure.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Transient reports whether the same call may succeed later.
func Transient(err error) bool {
	switch KindOf(err) {
	case KindRateLimit, KindOverloaded, KindTruncated, KindTimeout, KindUnavailable:
		return true
	default:
		return false
	}
}
