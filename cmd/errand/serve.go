package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
)

// serveCommand serves until ctx ends, then stops in order.
func serveCommand(ctx context.Context, args []string, environ map[string]string, stderr io.Writer) error {
	flags := newFlags("serve", stderr)
	migrate := flags.Bool("migrate", false, "bring a PostgreSQL database up to date first")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil {
		return err
	}
	cfg.Database.Migrate = cfg.Database.Migrate || *migrate
	paceCollector()
	s, err := server.Start(ctx, cfg, telemetry.NewLogger(stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	go returnMemory(ctx)
	select {
	case <-ctx.Done():
	case err = <-s.Failed():
		err = fmt.Errorf("serving: %w", err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, s.Stop(stop))
}
