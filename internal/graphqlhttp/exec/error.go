package exec

import (
	"errors"
	"maps"
	"net/http"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"
	"errand/internal/truncate"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// RequestError is the reason why a request was rejected before anything was executed.
type RequestError struct {
	// Status is the HTTP status for every Accept header; 0 means that it depends on the media type of the response: 200
	// for application/json, that of the code for application/graphql-response+json.
	Status int
	// Errors holds at least one error.
	Errors gqlerror.List
	// Header is added to the HTTP response.
	Header http.Header
	// Malformed means that a member of the request is missing or of the wrong type, which ends a WebSocket.
	Malformed bool
}

// NewRequestError returns a RequestError of one error.
func NewRequestError(status int, err *apperr.Error) *RequestError {
	return &RequestError{Status: status, Errors: gqlerror.List{ToGraphQLError(err)}}
}

// BadRequest returns the 400 response to a request that is not a GraphQL request.
func BadRequest(format string, args ...any) *RequestError {
	return NewRequestError(http.StatusBadRequest, apperr.New(apperr.BadUserInput, format, args...))
}

// TooMany returns the error for a limit of open connections or operations. The format has the verb of the limit.
func TooMany(limit string, limitValue int, format string) *RequestError {
	e := NewRequestError(http.StatusTooManyRequests, apperr.TooMany(time.Second, format, limitValue)).
		WithHeader("Retry-After", "1")
	e.Errors[0].Extensions["limit"], e.Errors[0].Extensions["max"] = limit, limitValue
	return e
}

// WithHeader sets an HTTP response header and returns e.
func (e *RequestError) WithHeader(key, value string) *RequestError {
	if e.Header == nil {
		e.Header = http.Header{}
	}
	e.Header.Set(key, value)
	return e
}

// Code returns the code of the first error.
func (e *RequestError) Code() apperr.Code { return CodeOf(e.Errors) }

// invalidMember is a 400 for a member of the request that is missing or has the wrong type.
func invalidMember(field, want string) *RequestError {
	e := invalidValue(field, want)
	e.Malformed = true
	return e
}

// invalidValue is a 400 for a member of the request whose value is invalid.
func invalidValue(field, want string) *RequestError {
	return NewRequestError(http.StatusBadRequest, apperr.Invalid(field, "%q must be %s.", field, want))
}

// ToGraphQLError returns err in the form in which every error leaves the server.
func ToGraphQLError(err *apperr.Error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Message, Extensions: err.Extensions()}
}

// CodeOf returns the code of the first error, "" for an empty list.
func CodeOf(list gqlerror.List) apperr.Code {
	if len(list) == 0 {
		return ""
	}
	code, _ := list[0].Extensions["code"].(string)
	if code == "" {
		return apperr.Internal
	}
	return apperr.Code(code)
}

// documentError returns the parser's or validator's errors with a code. They may quote the document, so that each is
// truncated and at most ten are reported.
func documentError(code apperr.Code, errs gqlerror.List) *RequestError {
	const maxErrors = 10
	var list gqlerror.List
	for _, err := range errs[:min(len(errs), maxErrors)] {
		e := ToGraphQLError(apperr.New(code, "%s", truncateMessage(err.Message)))
		e.Locations = err.Locations
		list = append(list, e)
	}
	return &RequestError{Errors: list}
}

// limitError returns a *limits.ExceededError as a RequestError.
func limitError(err error) *RequestError {
	e := ToGraphQLError(apperr.From(err))
	var exceeded *limits.ExceededError
	if errors.As(err, &exceeded) {
		maps.Copy(e.Extensions, exceeded.Extensions())
	}
	return &RequestError{Errors: gqlerror.List{e}}
}

// truncateMessage truncates a text that a client chose, for messages and logs.
func truncateMessage(s string) string { return truncate.Ellipsis(s, 300) }
