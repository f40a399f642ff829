package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/account"
	"errand/internal/apitoken"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
	"errand/internal/viewer"

	"github.com/spf13/cobra"
)

// apiTokenOptions are the flags of "errand token create".
type apiTokenOptions struct {
	user, name, expires string
	scopes              []string
	asJSON              bool
}

func newTokenCreateCommand(inv *invocation) *cobra.Command {
	var o apiTokenOptions
	cmd := &cobra.Command{
		Use:   "create --user NAME --name TEXT --scope SCOPE…",
		Short: "Create an API token and print its secret, which is not stored",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runTokenCreate(cmd.Context(), inv, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.user, "user", "", "id, login, subject or e-mail address of the user")
	flags.StringVar(&o.name, "name", "", "`text` to recognise the token by")
	flags.StringSliceVar(
		&o.scopes,
		"scope",
		nil,
		"`scope` of the token: tasks:read, tasks:write, chat or account; may be repeated",
	)
	flags.StringVar(&o.expires, "expires", "90d", "`time` until the token expires, such as 30d or 12h, or never")
	addJSONFlag(cmd, &o.asJSON)
	completeWith(cmd, "scope", "tasks:read", "tasks:write", "chat", "account")
	completeWith(cmd, "expires", "30d", "90d", "365d", "never")
	return cmd
}

func newTokenListCommand(inv *invocation) *cobra.Command {
	var user string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List API tokens, without their secrets",
		Args:  refuseArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runTokenList(cmd.Context(), inv, user, asJSON) },
	}
	cmd.Flags().StringVar(&user, "user", "", "only those of this user: id, login, subject or e-mail address")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

func newTokenRevokeCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke an API token; servers reject it within 5 seconds and end its connections",
		Args:  oneArgument,
		RunE:  func(cmd *cobra.Command, args []string) error { return runTokenRevoke(cmd.Context(), inv, args[0]) },
	}
}

// tokenReport is the JSON of a token; docs/CLI.md documents it. Secret is set by create only.
type tokenReport struct {
	ID         string     `json:"id"`
	UserID     string     `json:"userId"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint"`
	Scopes     []string   `json:"scopes"`
	Status     string     `json:"status"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt"`
	LastUsedAt *time.Time `json:"lastUsedAt"`
	RevokedAt  *time.Time `json:"revokedAt"`
	Secret     string     `json:"secret,omitempty"`
}

func newTokenReport(t *ent.APIToken) tokenReport {
	return tokenReport{
		ID:         t.ID,
		UserID:     t.UserID,
		Name:       t.Name,
		Hint:       t.Hint,
		Scopes:     strings.Fields(t.Scopes),
		Status:     string(apitoken.Status(t, time.Now())),
		CreatedAt:  t.CreatedAt,
		ExpiresAt:  t.ExpiresAt,
		LastUsedAt: t.LastUsedAt,
		RevokedAt:  t.RevokedAt,
	}
}

// runTokenCreate prints the secret, and nothing else without --json, to stdout.
func runTokenCreate(ctx context.Context, inv *invocation, o apiTokenOptions) error {
	if o.user == "" || o.name == "" || len(o.scopes) == 0 {
		return usageError("--user, --name and --scope are required: errand token create --user alice --name laptop " +
			"--scope tasks:read")
	}
	in := apitoken.Input{Name: o.name}
	for _, name := range o.scopes {
		if !slices.Contains(viewer.AllScopes(), viewer.Scope(name)) {
			return usageError("--scope: %q is not one of %v", name, viewer.AllScopes())
		}
		in.Scopes = append(in.Scopes, enum.NewTokenScope(name))
	}
	var err error
	if in.ExpiresAt, in.NeverExpires, err = parseExpiry(o.expires, time.Now()); err != nil {
		return err
	}
	return withServices(ctx, inv, func(s *server.Server, cfg config.Config) error {
		userID, err := findOrCreateUser(ctx, s, cfg, o.user)
		if err != nil {
			return err
		}
		made, err := s.Services.Tokens.CreateToken(viewer.NewContext(ctx, viewer.Viewer{UserID: userID}), in)
		if err != nil {
			return err
		}
		if o.asJSON {
			report := newTokenReport(made.APIToken)
			report.Secret = made.Secret
			return writeJSON(inv.stdout, report)
		}
		_, err = fmt.Fprintln(inv.stdout, made.Secret)
		return err
	})
}

// parseExpiry returns when a token of this lifetime expires: a number of days ("90d"), a duration of Go, or "never".
func parseExpiry(text string, now time.Time) (at *time.Time, never bool, err error) {
	if text == "never" {
		return nil, true, nil
	}
	lifetime, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		if n > 36500 {
			err = errors.New("too long")
		}
		lifetime = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || lifetime <= 0 {
		return nil, false, usageError("--expires: %q is not a number of days such as 90d, a time such as 12h, or never", text)
	}
	return new(now.Add(lifetime)), false, nil
}

func runTokenList(ctx context.Context, inv *invocation, user string, asJSON bool) error {
	return withServices(ctx, inv, func(s *server.Server, _ config.Config) error {
		var only string
		if user != "" {
			var err error
			if only, err = findUser(ctx, s, user); err != nil {
				return err
			}
		}
		reports := []tokenReport{}
		err := account.EachUser(ctx, s.DB.Client(), int(^uint(0)>>1), func(ctx context.Context, id string) error {
			if only != "" && id != only {
				return nil
			}
			tokens, err := s.DB.Client().APIToken.Query().All(ctx)
			for _, t := range tokens {
				reports = append(reports, newTokenReport(t))
			}
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(reports, func(a, b tokenReport) int { return strings.Compare(b.ID, a.ID) })
		if asJSON {
			return writeJSON(inv.stdout, reports)
		}
		return writeTokens(inv.stdout, reports)
	})
}

func writeTokens(w io.Writer, reports []tokenReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tUSER\tNAME\tSECRET\tSCOPES\tSTATUS\tEXPIRES\tLAST USED")
	for _, r := range reports {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s…\t%s\t%s\t%s\t%s\n", r.ID, r.UserID, r.Name, r.Hint,
			strings.Join(r.Scopes, ","), strings.ToLower(r.Status), printTime(r.ExpiresAt), printTime(r.LastUsedAt))
	}
	return table.Flush()
}

func printTime(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func runTokenRevoke(ctx context.Context, inv *invocation, id string) error {
	return withServices(ctx, inv, func(s *server.Server, _ config.Config) error {
		userID, err := apitoken.Owner(ctx, s.DB.Client(), id)
		if err != nil {
			return err
		}
		t, err := s.Services.Tokens.RevokeToken(viewer.NewContext(ctx, viewer.Viewer{UserID: userID}), id)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(inv.stdout, "revoked %s (%s)\n", t.ID, t.Name)
		return err
	})
}

// withServices opens the database and calls do with the services.
func withServices(
	ctx context.Context, inv *invocation, do func(s *server.Server, cfg config.Config) error,
) (err error) {
	cfg, err := inv.loadConfig()
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
	return do(s, cfg)
}

// unknownUser is the error for a name that means no user.
type unknownUser struct {
	name string
	// accounts reports that the database has built-in accounts.
	accounts bool
}

// Error implements error.
func (e *unknownUser) Error() string {
	if e.accounts {
		return fmt.Sprintf("there is no user %q: \"errand user list\" prints the logins of the built-in accounts", e.name)
	}
	return fmt.Sprintf("there is no user %q: it is created at the first sign-in", e.name)
}

// findUser returns the ID of the one user whom a name means. The error is an unknownUser if there is none.
func findUser(ctx context.Context, s *server.Server, name string) (string, error) {
	users, err := account.FindUsers(ctx, s.DB.Client(), name)
	if err != nil {
		return "", err
	}
	switch len(users) {
	case 0:
		accounts, err := s.Services.SignIn.HasAccounts(ctx)
		if err != nil {
			return "", err
		}
		return "", &unknownUser{name: name, accounts: accounts}
	case 1:
		return users[0].ID, nil
	}
	var all []string
	for _, u := range users {
		all = append(all, fmt.Sprintf("%s (%s at issuer %q)", u.ID, u.Subject, u.Issuer))
	}
	return "", fmt.Errorf("%q means several users; name one by id: %s", name, strings.Join(all, ", "))
}

// findOrCreateUser is findUser, but creates a user of the development sign-in, as the first sign-in does. It creates
// none in a database with built-in accounts: a shell without the settings of its server (ADDR, AUTH) has the
// development sign-in, and a misspelled login must not become a user.
func findOrCreateUser(ctx context.Context, s *server.Server, cfg config.Config, name string) (string, error) {
	id, err := findUser(ctx, s, name)
	unknown, ok := errors.AsType[*unknownUser](err)
	if !ok || unknown.accounts || !cfg.DevelopmentSignIn() {
		return id, err
	}
	claims, err := auth.DevClaims(name)
	if err != nil {
		return "", err
	}
	return s.Services.Accounts.EnsureUser(ctx, claims)
}
