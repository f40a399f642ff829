package telemetry

import (
	"context"
	"io"
	"log/slog"
	"os"

	"errand/internal/viewer"

	"golang.org/x/term"
)

// NewLogger returns a logger that writes text to a terminal and JSON to anything else. It adds request_id and
// user_id from the context to each record.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	if IsTerminal(w) {
		return NewTextLogger(w, level)
	}
	return NewJSONLogger(w, level)
}

// NewTextLogger is NewLogger for text.
func NewTextLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(contextHandler{slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})})
}

// NewJSONLogger is NewLogger for JSON.
func NewJSONLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(contextHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

// IsTerminal reports whether a standard stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// contextHandler adds the request ID and the viewer's user ID of the context to each record.
type contextHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if v, ok := viewer.FromContext(ctx); ok && !hasAttr(r, "user_id") {
		r.AddAttrs(slog.String("user_id", v.UserID))
	}
	return h.Handler.Handle(ctx, r)
}

func hasAttr(r slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// WithAttrs implements slog.Handler.
func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h contextHandler) WithGroup(name string) slog.Handler {
	return contextHandler{h.Handler.WithGroup(name)}
}
