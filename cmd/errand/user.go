package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"errand/ent/enum"
	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/signin"
	"errand/internal/signin/httpapi"

	"github.com/spf13/cobra"
)

const userHelp = `errand user manages the built-in accounts of the server with the same DATABASE_URL, which may be
running.

The links that add and reset print can be used once, in a browser. A server ends the sessions and API tokens of a
disabled account within 5 seconds.`

func newUserCommand(inv *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Manage built-in accounts",
		Long:  userHelp,
		Args:  refuseArguments,
		RunE:  requireSubcommand,
	}
	cmd.AddCommand(
		newUserAddCommand(inv),
		newUserListCommand(inv),
		newUserChangeCommand(inv, "disable", "Disable an account and end its sessions and API tokens", "disabled",
			(*signin.Service).DisableUser),
		newUserChangeCommand(inv, "enable", "Enable a disabled account", "enabled", (*signin.Service).EnableUser),
		newUserResetCommand(inv),
		newUserAdoptCommand(inv),
	)
	return cmd
}

func newUserAddCommand(inv *invocation) *cobra.Command {
	var owner bool
	cmd := &cobra.Command{
		Use:   "add LOGIN",
		Short: "Create an account and print the link that sets its password",
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			role := enum.RoleMember
			if owner {
				role = enum.RoleOwner
			}
			return withAccounts(cmd.Context(), inv, func(s *signin.Service, cfg config.Config) error {
				link, err := s.AddUser(cmd.Context(), args[0], role)
				if err != nil {
					return err
				}
				return printLink(inv, cfg, link)
			})
		},
	}
	cmd.Flags().BoolVar(&owner, "owner", false, "give the account the role OWNER, which may invite others")
	return cmd
}

func newUserListCommand(inv *invocation) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  refuseArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd.Context(), inv, func(s *signin.Service, _ config.Config) error {
				users, err := s.AllUsers(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(inv.stdout, newUserReports(users))
				}
				return writeUsers(inv.stdout, users)
			})
		},
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// newUserChangeCommand returns a command that changes one account and prints what it did.
func newUserChangeCommand(
	inv *invocation, name, short, done string, change func(s *signin.Service, ctx context.Context, login string) error,
) *cobra.Command {
	return &cobra.Command{
		Use:   name + " LOGIN",
		Short: short,
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), inv, func(s *signin.Service, _ config.Config) error {
				if err := change(s, cmd.Context(), args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(inv.stdout, "%s %s\n", done, args[0])
				return err
			})
		},
	}
}

func newUserResetCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "reset LOGIN",
		Short: "Print a link that sets a new password and ends all sessions",
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd.Context(), inv, func(s *signin.Service, cfg config.Config) error {
				link, err := s.ResetUser(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return printLink(inv, cfg, link)
			})
		},
	}
}

func newUserAdoptCommand(inv *invocation) *cobra.Command {
	var dev string
	cmd := &cobra.Command{
		Use:   "adopt --dev NAME LOGIN",
		Short: "Give the data of a user of the development sign-in to an account",
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dev == "" {
				return usageError("--dev is required: errand user adopt --dev alice alice")
			}
			return withAccounts(cmd.Context(), inv, func(s *signin.Service, _ config.Config) error {
				if err := s.AdoptDevUser(cmd.Context(), dev, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(inv.stdout, "%s has the data of the development user %s\n", args[0], dev)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&dev, "dev", "", "`name` of the user of the development sign-in")
	return cmd
}

// userReport is the JSON of an account; docs/CLI.md documents it.
type userReport struct {
	Login     string         `json:"login"`
	Name      string         `json:"name"`
	Role      enum.LoginRole `json:"role"`
	Disabled  bool           `json:"disabled"`
	CreatedAt time.Time      `json:"createdAt"`
	UserID    string         `json:"userId"`
}

func newUserReports(users []signin.User) []userReport {
	reports := []userReport{}
	for _, u := range users {
		reports = append(reports, userReport{
			Login:     u.Login,
			Name:      u.Name,
			Role:      u.Role,
			Disabled:  u.Disabled,
			CreatedAt: u.CreatedAt,
			UserID:    u.UserID,
		})
	}
	return reports
}

func writeUsers(w io.Writer, users []signin.User) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LOGIN\tNAME\tROLE\tSTATUS\tCREATED\tUSER")
	for _, u := range users {
		status := "enabled"
		if u.Disabled {
			status = "disabled"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Login, u.Name, strings.ToLower(string(u.Role)), status,
			printTime(&u.CreatedAt), u.UserID)
	}
	return table.Flush()
}

// withAccounts calls do with the built-in accounts of the database. A running server reads the changes from the
// database.
func withAccounts(ctx context.Context, inv *invocation, do func(s *signin.Service, cfg config.Config) error) error {
	return withServices(ctx, inv, func(s *server.Server, cfg config.Config) error {
		return do(signin.New(signin.Options{Client: s.DB.Client(), Log: s.Log}), cfg)
	})
}

// printLink prints a link, and nothing else, to stdout.
func printLink(inv *invocation, cfg config.Config, link *signin.NewLink) error {
	if link.ExpiresAt != nil {
		fmt.Fprintf(inv.stderr, "errand: this link can be used once, until %s\n", printTime(link.ExpiresAt))
	}
	page := cmp.Or(cfg.Server.PublicURL, server.PageURL(cfg.Server.Addr))
	_, err := fmt.Fprintln(inv.stdout, httpapi.LinkURL(page, link.Token))
	return err
}
