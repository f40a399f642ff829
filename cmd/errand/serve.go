package main

import (
	"context"
	"errors"
	"fmt"

	"errand/internal/server"
	"errand/internal/telemetry"
)

// runServe runs the server until ctx ends, then shuts it down within SHUTDOWN_TIMEOUT.
func runServe(ctx context.Context, inv invocation) error {
	flags := newFlags(inv)
	migrate := flags.Bool("migrate", false, "apply pending PostgreSQL migrations first")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	cfg, err := loadConfig(inv.environ)
	if err != nil {
		return err
	}
	cfg.Database.Migrate = cfg.Database.Migrate || *migrate
	cfg.Version = readBuildInfo().version
	tuneGC()
	s, err := server.Start(ctx, cfg, telemetry.NewLogger(inv.stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	printBanner(inv, s)
	go releaseIdleMemory(ctx)
	select {
	case <-ctx.Done():
	case err = <-s.Failed():
		err = fmt.Errorf("serving: %w", err)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, s.Stop(stop))
}
