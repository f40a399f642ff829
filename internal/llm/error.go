package llm

import (
	"errors"
	"fmt"
	"time"

	"errand/internal/apperr"
)

// Kind is the reason for the failure of a model call.
type Kind string

// The kinds of failures. There are no others.
const (
	// KindAuth: the key is missing, invalid or not permitted, or its account has no credit.
	KindAuth Kind = "auth"
	// KindRateLimit: the provider's limit on requests or tokens is exceeded.
	KindRateLimit Kind = "rate_limit"
	// KindOverloaded: the provider has no capacity at the moment.
	KindOverloaded Kind = "overloaded"
	// KindBadRequest: the request or a setting of the server is invalid; a retry is useless.
	KindBadRequest Kind = "bad_request"
	// KindTruncated: the response is incomplete, for example within a tool call.
	KindTruncated Kind = "truncated"
	// KindTimeout: the idle timeout or the caller's deadline passed.
	KindTimeout Kind = "timeout"
	// KindCancelled: the caller's context was cancelled or its streaming function returned an error.
	KindCancelled Kind = "cancelled"
	// KindUnavailable: the provider cannot be reached, failed internally or violated its protocol.
	KindUnavailable Kind = "unavailable"
)

// Error is the failure of a model call. Its text comes from this package alone, because the messages of providers may
// quote keys or prompts.
type Error struct {
	Kind Kind
	// Reason is the exact cause, "" if only the kind is known.
	Reason   Reason
	Provider string
	// Status is the HTTP status of the error response, 0 if there was none.
	Status int
	// RetryAfter is the delay the provider requested, 0 for none.
	RetryAfter time.Duration
	// Usage is what the provider reported for a complete response that cannot be used.
	Usage Usage
	// Detail describes the failure for the log; it never contains text of the provider.
	Detail string
	// mentions are the optional members of requests that an error response names.
	mentions []string
	cause    error
	// malformed marks an event that violates the protocol.
	malformed bool
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

// Unwrap returns the cause: a context error, the streaming function's error or an operating system error; nil if
// unknown.
func (e *Error) Unwrap() error { return e.cause }

// As supports [apperr.From], which finds the public form of the error.
func (e *Error) As(target any) bool {
	t, ok := target.(**apperr.Error)
	if !ok {
		return false
	}
	code, message := e.public()
	if byReason := e.Reason.code(); byReason != "" {
		code = byReason
	}
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

// KindOf returns the kind of the *Error in err's chain, "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Transient reports whether the same call may succeed later. An error without a kind is not transient.
func Transient(err error) bool {
	if ReasonOf(err).permanent() {
		return false
	}
	switch KindOf(err) {
	case KindRateLimit, KindOverloaded, KindTruncated, KindTimeout, KindUnavailable:
		return true
	default:
		return false
	}
}
