package server

import (
	"context"
	"log/slog"

	"errand/internal/config"
	"errand/internal/store"
)

// OpenStore opens the configured database.
func OpenStore(ctx context.Context, cfg config.Config, log *slog.Logger) (*store.DB, error) {
	return store.Open(ctx, store.Options{
		URL: cfg.Database.URL.Reveal(), MaxConns: cfg.Database.MaxConns,
		StatementCache: cfg.Database.StatementCache, RLS: store.RLSMode(cfg.Database.RowSecurity), Logger: log,
	})
}
