package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
)

const mcpUsage = `errand mcp: the Model Context Protocol over standard input and output, for assistants on
this machine. It works on the database of DATABASE_URL, beside a running server or without one,
as one person:

  errand mcp --user NAME   anybody, in development, like "errand token --user NAME"
  ERRAND_TOKEN=… errand mcp   the bearer of a token meant for /mcp, verified as the server does

Give DATABASE_URL an absolute path: assistants start programs in folders of their own. Logs go to
standard error. Clients of a server on SQLite see these changes with their next one; with
PostgreSQL, at once.
`

// tokenVariable holds the token of "errand mcp". It is no setting of the server's.
const tokenVariable = "ERRAND_TOKEN"

// mcpCommand serves one local assistant until it leaves.
func mcpCommand(
	ctx context.Context,
	args []string,
	environ map[string]string,
	in io.ReadCloser,
	out, stderr io.Writer,
) (err error) {
	flags := newFlags("mcp", stderr)
	flags.Usage = func() { fmt.Fprint(stderr, mcpUsage) }
	user := flags.String("user", "", "act as this person of the development sign-in")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil {
		return err
	}
	token, err := stdioToken(cfg, *user, environ[tokenVariable])
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, cfg, telemetry.NewLogger(stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, s.Stop(stop))
	}()
	// A client that leaves is no reason to die halfway.
	signal.Ignore(syscall.SIGPIPE)
	return s.ServeMCP(ctx, token, in, out)
}

// stdioToken is the token to act with: the given one, or a new one of the development sign-in.
func stdioToken(cfg config.Config, user, token string) (string, error) {
	switch {
	case user != "" && token != "":
		return "", fmt.Errorf("give --user or %s, not both", tokenVariable)
	case user != "":
		signer, err := auth.OpenDevSigner(cfg)
		if err != nil {
			return "", err
		}
		token, _, err = signer.Token(user, auth.MaxDevTokenTTL)
		return token, err
	case token != "":
		return token, nil
	default:
		return "", fmt.Errorf("say who acts: errand mcp --user alice in development, or a token in %s", tokenVariable)
	}
}
