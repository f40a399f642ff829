package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout limits the request of the health command.
const healthTimeout = 5 * time.Second

func newHealthCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "Check that the server at ADDR and its database can be used",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runHealth(cmd.Context(), inv) },
	}
}

// runHealth asks the server at ADDR for its health, as the health check of a container does. It returns an error, so
// that the exit code is 1, unless the server and its database can be used.
func runHealth(ctx context.Context, inv *invocation) error {
	cfg, err := inv.loadConfig()
	if err != nil {
		return err
	}
	url, err := healthURL(cfg.Server.Addr)
	if err != nil {
		return err
	}
	if err := checkHealth(ctx, url); err != nil {
		return err
	}
	_, err = fmt.Fprintln(inv.stdout, "ok")
	return err
}

// healthURL returns the URL of /health for a listener's address. A listener on all interfaces is asked over loopback.
func healthURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("ADDR: %w", err)
	}
	if port == "0" {
		return "", errors.New("ADDR has port 0, so the port of the server is not known")
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/health", nil
}

// checkHealth returns an error unless url answers that the server is healthy.
func checkHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// No proxy of the environment: the server is on this machine.
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return fmt.Errorf("the server does not respond: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	const maxReport = 64 << 10
	var report struct {
		DatabaseOK *bool `json:"database_ok"`
		Reason     string
	}
	err = json.NewDecoder(io.LimitReader(response.Body, maxReport)).Decode(&report)
	switch {
	case err != nil || report.DatabaseOK == nil:
		return fmt.Errorf("%s answers with status %d, but not as an Errand server does", url, response.StatusCode)
	case response.StatusCode != http.StatusOK || !*report.DatabaseOK:
		return fmt.Errorf("the server is unhealthy: %s", cmp.Or(report.Reason, response.Status))
	default:
		return nil
	}
}
