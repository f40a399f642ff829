package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"errand/internal/editdist"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootHelp = `Errand: a backend for an AI task assistant.

Settings are read from flags, then from the environment, then from the file .env in the working directory;
.env.example documents them. "errand serve" without any setting serves on http://127.0.0.1:8080, with a
SQLite file in ./data and a built-in model.

Exit codes: 0 success; 1 failure; 2 an unknown or missing command, flag or argument; 130 interrupted.`

// run runs the command that args name, or prints the help.
func run(ctx context.Context, args []string, inv invocation) error {
	inv.environ = maps.Clone(inv.environ)
	if inv.environ == nil {
		inv.environ = map[string]string{}
	}
	if len(args) > 0 && slices.Contains([]string{"-v", "-version", "--version"}, args[0]) {
		args = append([]string{"version"}, args[1:]...)
	}
	args = doubleDashes(args)
	root := newRootCommand(&inv)
	root.SetArgs(args)
	// A misspelled command is reported before its flags, which its correct name may know.
	found, rest, err := root.Find(args)
	if err == nil && found.HasSubCommands() && len(rest) > 0 &&
		!strings.HasPrefix(rest[0], "-") && !strings.HasPrefix(rest[0], cobra.ShellCompRequestCmd) {
		err = refuseArguments(found, rest)
	}
	if err != nil {
		return err
	}
	return root.ExecuteContext(ctx)
}

// newRootCommand returns the command "errand" with all subcommands. A command's own file creates it.
func newRootCommand(inv *invocation) *cobra.Command {
	root := &cobra.Command{
		Use:           "errand",
		Short:         "A backend for an AI task assistant",
		Long:          rootHelp,
		Args:          refuseArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cobra.EnableCommandSorting = false // the order below is that of the help
	root.SetIn(inv.stdin)
	root.SetOut(inv.stdout)
	root.SetErr(inv.stderr)
	root.SetFlagErrorFunc(refuseFlag)
	addSettingFlags(root.PersistentFlags(), inv.environ)
	completeWith(root, "environment", "development", "production")
	root.AddCommand(
		newServeCommand(inv),
		newMigrateCommand(inv),
		newBackupCommand(inv),
		newRestoreCommand(inv),
		newUserCommand(inv),
		newTokenCommand(inv),
		newMCPCommand(inv),
		newModelsCommand(inv),
		newEvalCommand(inv),
		newHealthCommand(inv),
		newDoctorCommand(inv),
		newSchemaCommand(inv),
		newVersionCommand(inv),
	)
	root.SetHelpCommand(newHelpCommand(root))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Short, completion.Args, completion.RunE = "Print a script that completes commands in a shell",
			refuseArguments, requireSubcommand
	}
	return root
}

// settingFlag is a flag that overrides an environment variable, which overrides .env.
type settingFlag struct {
	environ  map[string]string
	variable string
}

// String implements pflag.Value.
func (f settingFlag) String() string { return "" }

// Type implements pflag.Value.
func (f settingFlag) Type() string { return "string" }

// Set implements pflag.Value.
func (f settingFlag) Set(value string) error {
	f.environ[f.variable] = value
	if f.variable == "DATABASE_URL" {
		f.environ["NEON_DATABASE_URL"] = "" // the alias, which must not differ
	}
	return nil
}

func addSettingFlags(flags *pflag.FlagSet, environ map[string]string) {
	add := func(name, variable, usage string) {
		flags.Var(settingFlag{environ: environ, variable: variable}, name, usage+" (overrides "+variable+")")
	}
	add("addr", "ADDR", "host:port of the server")
	add("database-url", "DATABASE_URL", "sqlite:PATH or postgres://…, visible to other users of this machine")
	add("environment", "ENVIRONMENT", "development or production")
}

// newHelpCommand returns "errand help", which unlike cobra's own fails for unknown commands.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Print the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = refuseArguments(found, rest)
			}
			if err != nil {
				return err
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if found, rest, err := root.Find(args); err == nil && len(rest) == 0 {
				for _, c := range found.Commands() {
					if c.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// completeWith sets the values that shells complete for a flag.
func completeWith(cmd *cobra.Command, flag string, values ...cobra.Completion) {
	fixed := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, fixed); err != nil {
		panic(err) // the flag does not exist
	}
}

// usageError returns an error of the command line, which is not the fault of a setting or of the machine.
func usageError(format string, args ...any) error {
	return exitError{fmt.Errorf(format, args...), exitUsage}
}

// refuseArguments is the cobra.PositionalArgs of commands that take no arguments or only subcommands.
func refuseArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		return usageError("unknown command %q; %s\"%s --help\" lists the commands",
			strings.TrimPrefix(cmd.CommandPath()+" "+args[0], "errand "), didYouMean(suggestCommands(cmd, args[0])),
			cmd.CommandPath())
	default:
		return usageError("unexpected argument %q: usage: %s", args[0], cmd.UseLine())
	}
}

// requireSubcommand is the RunE of commands that do nothing without a subcommand.
func requireSubcommand(cmd *cobra.Command, _ []string) error {
	return usageError("a command is required: %s %s", cmd.CommandPath(), strings.Join(subcommandNames(cmd), "|"))
}

// oneArgument is the cobra.PositionalArgs of commands that take one argument.
func oneArgument(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError("one argument is required: %s", cmd.UseLine())
	}
	return nil
}

// refuseFlag completes the error of a flag with a suggestion.
func refuseFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError("%w; \"%s --help\" lists the flags", err, cmd.CommandPath())
	}
	// In "-addr", pflag takes each letter for a flag of its own.
	dashes, name := "-", unknown.GetSpecifiedShortnames()
	if name == "" {
		dashes, name = "--", unknown.GetSpecifiedName()
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	return usageError("unknown flag: %s%s; %s\"%s --help\" lists the flags", dashes, name,
		didYouMean(editdist.Closest("--"+name, known)), cmd.CommandPath())
}

func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return `did you mean "` + strings.Join(names, `" or "`) + `"? `
}

// suggestCommands returns the subcommands that name may stand for: those that begin with it, or the closest ones.
func suggestCommands(cmd *cobra.Command, name string) []string {
	names := subcommandNames(cmd)
	begin := slices.DeleteFunc(slices.Clone(names), func(known string) bool {
		return !strings.HasPrefix(known, strings.ToLower(name))
	})
	if len(begin) > 0 {
		return begin
	}
	return editdist.Closest(strings.ToLower(name), names)
}

func subcommandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	return names
}

// singleDashFlags are the flags of the first releases, which accepted them with one dash too.
var singleDashFlags = []string{
	"destroy-all-data", "file", "held-out", "help", "json", "kind", "max-wrong", "max-wrong-changes", "migrate", "min",
	"no-copy", "provider", "repair-counters", "scopes", "ttl", "user", "yes",
}

// doubleDashes replaces -name by --name for singleDashFlags, up to an argument "--". Cobra takes -name for the short
// flags -n, -a, -m and -e.
func doubleDashes(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(arg, "=")
		if name, single := strings.CutPrefix(name, "-"); single && slices.Contains(singleDashFlags, name) {
			args[i] = "-" + arg
		}
	}
	return args
}
