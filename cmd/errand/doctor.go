package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"errand/internal/config"
	"errand/internal/doctor"
	"errand/internal/server"

	"github.com/tmc/langchaingo/llms"
)

var errChecksFailed = errors.New("checks failed; the table lists the fix for each")

// runDoctor prints the result of all checks. It returns an error when one failed, so that the exit code is 1.
func runDoctor(ctx context.Context, inv invocation) error {
	flags := newFlags(inv)
	repair := flags.Bool("repair-counters", false, "correct the counters of what users store, then exit")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	cfg, err := loadConfig(inv.environ)
	if *repair {
		if err != nil {
			return err
		}
		return repairCounters(ctx, inv, cfg)
	}
	var findings []doctor.Finding
	var errs config.Errors
	switch {
	case errors.As(err, &errs):
		findings = doctor.ConfigFindings(errs)
	case err != nil:
		return err
	default:
		findings = doctor.Run(ctx, doctor.Options{
			Config: cfg,
			OpenModel: func() (llms.Model, string, error) {
				return server.OpenModel(cfg.LLM, slog.New(slog.DiscardHandler))
			},
		})
	}
	if err := doctor.Write(inv.stdout, findings, cfg.Secrets()...); err != nil {
		return err
	}
	if doctor.HasFailed(findings) {
		return errChecksFailed
	}
	return nil
}

// repairCounters corrects the counters of all users.
func repairCounters(ctx context.Context, inv invocation, cfg config.Config) error {
	db, err := server.OpenStore(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.EnsureSchema(ctx, false); err != nil {
		return err
	}
	n, err := doctor.RepairCounters(ctx, db)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(inv.stdout, "corrected the counters of %d users\n", n)
	return err
}
