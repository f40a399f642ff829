package graph

import (
	"context"
	"errors"
	"log/slog"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/store"
	"errand/internal/telemetry"

	"entgo.io/ent/privacy"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// ErrorPresenter is the one mapper from errors to what clients see: a code of the
// closed list and a safe message. What is unknown is redacted, and logged under the request's id.
func ErrorPresenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		e := toAppError(err)
		out := &gqlerror.Error{Err: e, Message: e.Message, Path: graphql.GetPath(ctx)}
		var located *gqlerror.Error
		if errors.As(err, &located) {
			out.Locations = located.Locations
			if located.Path != nil {
				out.Path = located.Path
			}
		}
		extensions := map[string]any{"code": string(e.Code)}
		out.Extensions = extensions
		if field := inputField(e, out.Path); field != "" {
			extensions["field"] = field
		}
		if e.RetryAfter > 0 {
			extensions["retryAfterMs"] = e.RetryAfter.Milliseconds()
		}
		if e.Code == apperr.Internal || e.Code == apperr.Unavailable {
			id := telemetry.RequestID(ctx)
			extensions["requestId"] = id
			log.Log(ctx, logLevel(e), "operation failed", "code", string(e.Code), "error", causeText(e))
		}
		return out
	}
}

// inputField is the input field at fault. A scalar that cannot be read does not know its
// field, but its path ends there.
func inputField(e *apperr.Error, path ast.Path) string {
	if e.Field != "" || e.Code != apperr.BadUserInput {
		return e.Field
	}
	for i := len(path) - 1; i > 0; i-- {
		if name, ok := path[i].(ast.PathName); ok {
			return string(name)
		}
	}
	return ""
}

// toAppError names the errors of the layers below.
func toAppError(err error) *apperr.Error {
	var coded *apperr.Error
	switch {
	case errors.As(err, &coded):
		return coded
	case ent.IsNotFound(err):
		return apperr.Wrap(err, apperr.NotFound, "No such thing.")
	case errors.Is(err, privacy.Deny):
		return apperr.Wrap(err, apperr.Forbidden, "This is not allowed.")
	case store.IsInvalidText(err):
		return apperr.Wrap(err, apperr.BadUserInput, "A text in this request holds a character that no text may hold.")
	case store.IsUnavailable(err):
		return apperr.Wrap(err, apperr.Unavailable, "The database is not available just now. Try again shortly.")
	default:
		return apperr.From(err)
	}
}

// logLevel is how much a failure should trouble whoever runs the server: a client that left in the middle is no fault.
func logLevel(e *apperr.Error) slog.Level {
	if errors.Is(e, context.Canceled) {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func causeText(e *apperr.Error) string {
	if cause := errors.Unwrap(e); cause != nil {
		return cause.Error()
	}
	return e.Message
}
