package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"errand/internal/config"
	"errand/internal/doctor"
	"errand/internal/server"

	"github.com/spf13/cobra"
	"github.com/tmc/langchaingo/llms"
)

var errChecksFailed = errors.New("checks failed; the report lists the fix for each")

func newDoctorCommand(inv *invocation) *cobra.Command {
	var repair, asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, database, keys, model and ports",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), inv, repair, asJSON) },
	}
	cmd.Flags().BoolVar(&repair, "repair-counters", false, "correct the counters of what users store, then exit")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// runDoctor prints the result of all checks. It returns an error when one failed, so that the exit code is 1.
func runDoctor(ctx context.Context, inv *invocation, repair, asJSON bool) error {
	cfg, err := config.Load(inv.environ, config.DotenvFile)
	if repair {
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
	if ctx.Err() != nil { // the checks failed for this reason
		return ctx.Err()
	}
	misspelled := config.FindMisspelled(inv.environ, config.DotenvFile)
	findings = slices.Concat(doctor.MisspelledFindings(misspelled), findings)
	write := doctor.Write
	if asJSON {
		write = doctor.WriteJSON
	}
	if err := write(inv.stdout, findings, cfg.Secrets()...); err != nil {
		return err
	}
	if doctor.HasFailed(findings) {
		return errChecksFailed
	}
	return nil
}

// repairCounters corrects the counters of all users.
func repairCounters(ctx context.Context, inv *invocation, cfg config.Config) error {
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
