package exec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// presentError is the default error presenter: it reports an *apperr.Error, and logs and redacts all others.
func presentError(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		known := apperr.From(err)
		if known.Code == apperr.Internal {
			log.ErrorContext(ctx, "operation failed", "error", err)
		}
		e := ToGraphQLError(known)
		var located *gqlerror.Error
		if errors.As(err, &located) {
			e.Path, e.Locations = located.Path, located.Locations
		}
		return e
	}
}

// recoverPanic is the default panic handler: it logs the panic and returns a redacted error.
func recoverPanic(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, panicked any) error {
		log.LogAttrs(ctx, slog.LevelError, "panic in a GraphQL operation",
			slog.String("panic", truncateMessage(fmt.Sprint(panicked))), slog.String("stack", string(debug.Stack())))
		return apperr.New(apperr.Internal, "Something went wrong on our side.")
	}
}
