package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"syscall"

	"errand/ent"
	"errand/internal/account"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/server"

	"github.com/spf13/cobra"
)

const mcpHelp = `The Model Context Protocol over standard input and output, for MCP clients on this machine. It uses the
database of DATABASE_URL, with or without a running server, as one user:

  errand mcp --user NAME      a user of the development sign-in, like "errand token --user NAME"
  ERRAND_TOKEN=… errand mcp   the user of a token for /mcp, verified as the server does

Set DATABASE_URL to an absolute path, because MCP clients start programs in other directories. Logs are
written to standard error. Clients of a running server see the changes at once with PostgreSQL, and within
a second with SQLite.`

func newMCPCommand(inv *invocation) *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve one user's tasks to a local MCP client over stdio",
		Long:  mcpHelp,
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runMCP(cmd.Context(), inv, user) },
	}
	cmd.Flags().StringVar(&user, "user", "", "`name` of a user of the development sign-in")
	return cmd
}

// tokenVariable is the environment variable with the token of "errand mcp". It is not a setting of the server.
const tokenVariable = "ERRAND_TOKEN"

// runMCP serves an MCP client over stdin and stdout until it disconnects.
func runMCP(ctx context.Context, inv *invocation, user string) (err error) {
	cfg, log, err := inv.loadConfigAndLog()
	if err != nil {
		return err
	}
	token, err := mcpToken(cfg, user, inv.environ[tokenVariable])
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, s.Stop(stop))
	}()
	if user != "" {
		if err := checkDevUser(ctx, s, user); err != nil {
			return err
		}
	}
	// Without this, writing to a client that has exited would end the program before the server is stopped.
	signal.Ignore(syscall.SIGPIPE)
	return s.ServeMCP(ctx, token, inv.stdin, inv.stdout)
}

// checkDevUser returns an error for a name for which the development sign-in would create a user in a database with
// built-in accounts: the shell lacks the settings of the server, or the name is a login or misspelled.
func checkDevUser(ctx context.Context, s *server.Server, name string) error {
	accounts, err := s.Services.SignIn.HasAccounts(ctx)
	if err != nil || !accounts {
		return err
	}
	users, err := account.FindUsers(ctx, s.DB.Client(), name)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(users, func(u *ent.User) bool { return u.Issuer == auth.DevIssuer && u.Subject == name }) {
		return nil
	}
	return fmt.Errorf("--user: the development sign-in has no user %q, and the database has built-in accounts: "+
		"\"errand user list\" prints their logins; to serve one of them, set %s to a token of \"errand token create\"",
		name, tokenVariable)
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
