package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/viewer"

	"github.com/spf13/cobra"
)

const tokenHelp = `errand token --user NAME prints a token of the development sign-in, which the server with the same
DATABASE_URL accepts on this machine.

API tokens work with every sign-in, on GraphQL and MCP, until they expire or are revoked:

  errand token create --user alice --name laptop --scope tasks:read --scope tasks:write
  errand token list
  errand token revoke ID

A user is named by id, by login or subject, or by e-mail address.`

func newTokenCommand(inv *invocation) *cobra.Command {
	var o tokenOptions
	cmd := &cobra.Command{
		Use:   "token --user NAME",
		Short: "Print a token of the development sign-in, or manage API tokens",
		Long:  tokenHelp,
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runToken(cmd.Context(), inv, o) },
	}
	cmd.Flags().StringVar(&o.user, "user", "", "`name` of the user: 1 to 64 letters, digits and . _ - @")
	cmd.Flags().DurationVar(&o.ttl, "ttl", auth.DevTokenTTL, "lifetime of the token, at most 366 days")
	cmd.Flags().StringVar(&o.scopes, "scopes", "",
		"scopes to limit the token to, separated by spaces; empty for no limit")
	cmd.AddCommand(newTokenCreateCommand(inv), newTokenListCommand(inv), newTokenRevokeCommand(inv))
	return cmd
}

// tokenOptions are the flags of "errand token".
type tokenOptions struct {
	user, scopes string
	ttl          time.Duration
}

// runToken prints a token of the development sign-in, and nothing else, to stdout.
func runToken(ctx context.Context, inv *invocation, o tokenOptions) error {
	if o.user == "" {
		return usageError("--user is required: errand token --user alice")
	}
	scopes, err := parseScopes(o.scopes)
	if err != nil {
		return err
	}
	cfg, err := inv.loadConfig()
	if err != nil {
		return err
	}
	isNew, err := checkDevKey(ctx, cfg)
	if err != nil {
		return err
	}
	signer, err := auth.OpenDevSigner(cfg)
	if err != nil {
		return err
	}
	token, _, err := signer.Token(o.user, o.ttl, scopes...)
	if err != nil {
		return err
	}
	switch {
	case isNew:
		fmt.Fprintf(inv.stderr, "errand: no server has run with this DATABASE_URL yet: a new key was created in %s, and "+
			"only a server with the same DATABASE_URL accepts the token\n", absolute(cfg.Database.DevKeyPath()))
	case serverRefuses(ctx, cfg, token):
		fmt.Fprintf(
			inv.stderr,
			"errand: warning: the server at ADDR (%s) refuses this token: its DATABASE_URL or its sign-in "+
				"is another one. The key of this token is %s\n",
			cfg.Server.Addr,
			absolute(cfg.Database.DevKeyPath()),
		)
	}
	_, err = fmt.Fprintln(inv.stdout, token)
	return err
}

// checkDevKey reports whether there is no key yet. It returns an error if a server is running at ADDR then: that server
// has another key, and would reject the tokens of a new one.
func checkDevKey(ctx context.Context, cfg config.Config) (isNew bool, err error) {
	if !cfg.DevelopmentSignIn() {
		return false, nil // auth.OpenDevSigner returns the error
	}
	path := cfg.Database.DevKeyPath()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if url, err := healthURL(cfg.Server.Addr); err == nil && checkHealth(ctx, url) == nil {
		return false, fmt.Errorf(
			"%s does not exist, but a server is running at ADDR (%s): run this command in the folder of "+
				"the server, or with its DATABASE_URL; the server would reject a token of a new key",
			absolute(path),
			cfg.Server.Addr,
		)
	}
	return true, nil
}

// serverRefuses reports whether a server at ADDR answers that it does not accept a token. It returns false if there is
// no server.
func serverRefuses(ctx context.Context, cfg config.Config, token string) bool {
	health, err := healthURL(cfg.Server.Addr)
	if err != nil || checkHealth(ctx, health) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := strings.TrimSuffix(health, "/health") + cfg.Server.PathPrefix() + "/graphql"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"query":"{ __typename }"}`))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusUnauthorized
}

// absolute returns an absolute path for a message.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// parseScopes returns the scopes in a text that separates them by spaces.
func parseScopes(names string) (scopes []viewer.Scope, err error) {
	for name := range strings.FieldsSeq(names) {
		if !slices.Contains(viewer.AllScopes(), viewer.Scope(name)) {
			return nil, fmt.Errorf("--scopes: %q is not one of %v", name, viewer.AllScopes())
		}
		scopes = append(scopes, viewer.Scope(name))
	}
	return scopes, nil
}
