package graphqlhttp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// problem is a refusal of a request before anything was executed.
type problem struct {
	// status is the HTTP status whatever the client accepts; 0 leaves it to the media type
	// (200 for application/json, 400 for application/graphql-response+json).
	status int
	errors gqlerror.List
	// header is added to the HTTP response.
	header http.Header
}

// refuse makes a problem of one safe error.
func refuse(status int, err *apperr.Error) *problem {
	return &problem{status: status, errors: gqlerror.List{wire(err)}}
}

// malformed is a 400 for a request that is not a GraphQL request at all.
func malformed(format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, apperr.New(apperr.BadUserInput, format, args...))
}

// wrongMember is a 400 for a request member of the wrong type.
func wrongMember(field, want string) *problem {
	return refuse(http.StatusBadRequest, apperr.Invalid(field, "%q must be %s.", field, want))
}

func (p *problem) with(key, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(key, value)
	return p
}

// wire gives err the shape in which every error leaves the server.
func wire(err *apperr.Error) *gqlerror.Error {
	extensions := map[string]any{"code": string(err.Code)}
	if err.Field != "" {
		extensions["field"] = err.Field
	}
	if err.RetryAfter > 0 {
		extensions["retryAfterMs"] = err.RetryAfter.Milliseconds()
	}
	return &gqlerror.Error{Err: err, Message: err.Message, Extensions: extensions}
}

// documentFaults gives parser and validator errors their code. They may quote the
// document, so each is cut short, and only the first few are told.
func documentFaults(code apperr.Code, faults gqlerror.List) *problem {
	const most = 10
	var list gqlerror.List
	for _, fault := range faults[:min(len(faults), most)] {
		e := wire(apperr.New(code, "%s", shorten(fault.Message)))
		e.Locations = fault.Locations
		list = append(list, e)
	}
	return &problem{errors: list}
}

// limitFault turns a *limits.ExceededError into a problem.
func limitFault(err error) *problem {
	e := wire(apperr.From(err))
	var violation *limits.ExceededError
	if errors.As(err, &violation) {
		for k, v := range violation.Extensions() {
			e.Extensions[k] = v
		}
	}
	return &problem{errors: gqlerror.List{e}}
}

// shorten cuts s to 300 bytes at a rune boundary.
func shorten(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	for s = s[:most]; !utf8.ValidString(s); {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// presentSafely is the presenter used when none is given: codes for known errors, and
// nothing of unknown ones, which go to the log.
func (o Options) presentSafely(ctx context.Context, err error) *gqlerror.Error {
	known := apperr.From(err)
	if known.Code == apperr.Internal {
		o.Logger.ErrorContext(ctx, "operation failed", "error", err)
	}
	e := wire(known)
	var located *gqlerror.Error
	if errors.As(err, &located) {
		e.Path, e.Locations = located.Path, located.Locations
	}
	return e
}

// recovered logs a panic and hides it.
func (o Options) recovered(ctx context.Context, panicked any) error {
	o.Logger.LogAttrs(ctx, slog.LevelError, "panic in a GraphQL operation",
		slog.String("panic", shorten(fmt.Sprint(panicked))), slog.String("stack", string(debug.Stack())))
	return apperr.New(apperr.Internal, "Something went wrong on our side.")
}

// codeOf returns the code of the first error, "" for none.
func codeOf(list gqlerror.List) apperr.Code {
	if len(list) == 0 {
		return ""
	}
	code, _ := list[0].Extensions["code"].(string)
	if code == "" {
		return apperr.Internal
	}
	return apperr.Code(code)
}
