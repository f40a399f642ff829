package main

import (
	"context"
	"errors"
	"fmt"

	"errand/internal/server"

	"github.com/spf13/cobra"
)

func newServeCommand(inv *invocation) *cobra.Command {
	var migrate bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), inv, migrate) },
	}
	cmd.Flags().BoolVar(&migrate, "migrate", false, "apply pending PostgreSQL migrations first, like MIGRATE=true")
	return cmd
}

// runServe runs the server until ctx ends, then shuts it down within SHUTDOWN_TIMEOUT.
func runServe(ctx context.Context, inv *invocation, migrate bool) error {
	cfg, log, err := inv.loadConfigAndLog()
	if err != nil {
		return err
	}
	cfg.Database.Migrate = cfg.Database.Migrate || migrate
	build := readBuildInfo()
	cfg.Version, cfg.Commit = build.version, build.commit
	tuneGC()
	s, err := server.Start(ctx, cfg, log)
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
