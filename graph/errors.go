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

// ErrorPresenter returns the one mapping from errors to GraphQL errors. Every GraphQL error has an extensions.code of
// the closed list in package apperr. Unknown errors are redacted: the client gets a fixed message and the request id,
// and the cause is logged under that id.
func ErrorPresenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		e := toAppError(err)
		out := &gqlerror.Error{Err: e, Message: e.Message, Path: graphql.GetPath(ctx), Extensions: e.Extensions()}
		var located *gqlerror.Error
		if errors.As(err, &located) {
			out.Locations = located.Locations
			if located.Path != nil {
				out.Path = located.Path
			}
		}
		if e.Code == apperr.BadUserInput && e.Field == "" {
			if field := lastName(out.Path); field != "" {
				out.Extensions["field"] = field
			}
		}
		if e.Code == apperr.Internal || e.Code == apperr.Unavailable {
			out.Extensions["requestId"] = telemetry.RequestID(ctx)
			log.Log(ctx, logLevel(e), "operation failed", "code", string(e.Code), "error", causeText(e))
		}
		return out
	}
}

// lastName returns the last name in the path below the root field, or "". The error of a scalar that fails to parse
// does not name its input field, but its path ends there.
func lastName(path ast.Path) string {
	for i := len(path) - 1; i > 0; i-- {
		if name, ok := path[i].(ast.PathName); ok {
			return string(name)
		}
	}
	return ""
}

// toAppError gives the errors of Ent, the policies and the database a code.
func toAppError(err error) *apperr.Error {
	var coded *apperr.Error
	switch {
	case errors.As(err, &coded):
		return coded
	case ent.IsNotFound(err):
		return apperr.Wrap(err, apperr.NotFound, "No such object.")
	case errors.Is(err, privacy.Deny):
		return apperr.Wrap(err, apperr.Forbidden, "This is not allowed.")
	case store.IsInvalidText(err):
		return apperr.Wrap(err, apperr.BadUserInput, "A text in the request contains a character that cannot be stored.")
	case store.IsUnavailable(err):
		return apperr.Wrap(err, apperr.Unavailable, "The database is temporarily unavailable. Try again later.")
	default:
		return apperr.From(err)
	}
}

// logLevel returns Info for requests that the client cancelled and Error for all others.
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
