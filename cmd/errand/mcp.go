package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
)

const mcpUsage = `errand mcp: the Model Context Protocol over standard input and output, for MCP clients on this
machine. It uses the database of DATABASE_URL, with or without a running server, as one user:

  errand mcp --user NAME      any user, in development, like "errand token --user NAME"
  ERRAND_TOKEN=… errand mcp   the user of a token for /mcp, verified as the server does

Set DATABASE_URL to an absolute path, because MCP clients start programs in other directories. Logs are
written to standard error. Clients of a running server see the changes at once with PostgreSQL, and within
a second with SQLite.
`

// tokenVariable is the environment variable with the token of "errand mcp". It is not a setting of the server.
const tokenVariable = "ERRAND_TOKEN"

// runMCP serves an MCP client over stdin and stdout until it disconnects.
func runMCP(ctx context.Context, inv invocation) (err error) {
	flags := newFlags(inv)
	flags.Usage = func() { fmt.Fprint(inv.stderr, mcpUsage) }
	user := flags.String("user", "", "user name of the development sign-in")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	cfg, err := loadConfig(inv.environ)
	if err != nil {
		return err
	}
	token, err := mcpToken(cfg, *user, inv.environ[tokenVariable])
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, cfg, telemetry.NewLogger(inv.stderr, cfg.Server.LogLevel))
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, s.Stop(stop))
	}()
	// Without this, writing to a client that has exited would end the program before the server is stopped.
	signal.Ignore(syscall.SIGPIPE)
	return s.ServeMCP(ctx, token, inv.stdin, inv.stdout)
}

// mcpToken returns the given token, or a new one of the development sign-in for user.
func mcpToken(cfg config.Config, user, token string) (string, error) {
	switch {
	case user != "" && token != "":
		return "", fmt.Errorf("set --user or %s, not both", tokenVariable)
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
		return "", fmt.Errorf("a user is required: --user NAME in development, or a token in %s", tokenVariable)
	}
}
