package main

import (
	"context"
	"errors"
	"log/slog"

	"errand/internal/config"
	"errand/internal/doctor"
	"errand/internal/server"

	"github.com/tmc/langchaingo/llms"
)

var errChecksFailed = errors.New("checks failed; the table lists the fix for each")

// runDoctor prints the result of all checks. It returns an error when one failed, so that the exit code is 1.
func runDoctor(ctx context.Context, inv invocation) error {
	if err := newFlags(inv).Parse(inv.args); err != nil {
		return err
	}
	cfg, err := loadConfig(inv.environ)
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
