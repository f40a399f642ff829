package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"errand/internal/config"
	"errand/internal/doctor"
	"errand/internal/server"

	"github.com/tmc/langchaingo/llms"
)

var errSick = errors.New("there are faults; the table says what to do about each")

// doctorCommand prints what works and what does not; its error makes the exit code 1.
func doctorCommand(ctx context.Context, environ map[string]string, stdout io.Writer) error {
	cfg, err := config.Load(environ, ".env")
	var found []doctor.Finding
	var faults config.Errors
	switch {
	case errors.As(err, &faults):
		found = doctor.ConfigFindings(faults)
	case err != nil:
		return err
	default:
		found = doctor.Examine(ctx, doctor.Options{
			Config: cfg,
			OpenModel: func() (llms.Model, string, error) {
				return server.OpenModel(cfg.LLM, slog.New(slog.DiscardHandler))
			},
		})
	}
	if err := doctor.Write(stdout, found, cfg.Secrets()...); err != nil {
		return err
	}
	if doctor.HasFailed(found) {
		return errSick
	}
	return nil
}
