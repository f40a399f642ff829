package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"errand/internal/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// result is what a command left behind.
type result struct {
	stdout, stderr string
	err            error
	code           int
}

// runInTest runs the program with arguments and an environment in a new directory.
func runInTest(t *testing.T, environ map[string]string, args ...string) result {
	t.Helper()
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), args, invocation{
		environ: environ, stdin: io.NopCloser(strings.NewReader("")), stdout: &stdout, stderr: &stderr,
	})
	r := result{stdout: stdout.String(), stderr: stderr.String(), err: err}
	if err != nil {
		r.code = exitCode(err)
	}
	return r
}

// allCommands returns the paths of all commands, without the program's name.
func allCommands(t *testing.T) [][]string {
	t.Helper()
	var paths [][]string
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			paths = append(paths, strings.Fields(sub.CommandPath())[1:])
			walk(sub)
		}
	}
	walk(newRootCommand(&invocation{environ: map[string]string{}}))
	require.Greater(t, len(paths), 15)
	return paths
}

func TestRun_VersionFlags_PrintBuildInfo(t *testing.T) {
	for _, name := range []string{"version", "--version", "-v"} {
		r := runInTest(t, nil, name)
		require.NoError(t, r.err)
		require.Regexp(t, `^errand \S+\ncommit: .+\ndate: .+\ngo: go.+ .+/.+\n$`, r.stdout)
	}
}

func TestRun_NoCommandOrHelp_ListsCommands(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}, {"-help"}} {
		r := runInTest(t, nil, args...)
		require.NoError(t, r.err)
		for _, path := range allCommands(t) {
			if len(path) == 1 {
				require.Contains(t, r.stdout, "\n  "+path[0]+" ")
			}
		}
		require.Empty(t, r.stderr)
	}
}

func TestRun_HelpOfEveryCommand_PrintedToStdout(t *testing.T) {
	for _, path := range allCommands(t) {
		for _, args := range [][]string{
			append([]string{"help"}, path...),
			append(append([]string{}, path...), "-h"),
			append(append([]string{}, path...), "--help"),
			append(append([]string{}, path...), "-help"),
		} {
			r := runInTest(t, nil, args...)
			require.NoError(t, r.err, args)
			require.Contains(t, r.stdout, "Usage:\n  errand "+strings.Join(path, " "), args)
			require.Empty(t, r.stderr, args)
		}
	}
}

func TestRun_WrongCommandLine_RefusedWithSuggestion(t *testing.T) {
	for _, tc := range []struct{ args, message string }{
		{"serv", `unknown command "serv"; did you mean "serve"? "errand --help" lists the commands`},
		{"serv --migrate", `unknown command "serv"; did you mean "serve"?`},
		{"mig", `unknown command "mig"; did you mean "migrate"?`},
		{"nonsense", `unknown command "nonsense"; "errand --help" lists the commands`},
		{"help serv", `unknown command "serv"; did you mean "serve"?`},
		{"help migrate upp", `unknown command "migrate upp"; did you mean "up"?`},
		{"migrate upp --yes", `unknown command "migrate upp"; did you mean "up"? "errand migrate --help" lists`},
		{"migrate --yes upp", `unknown command "migrate upp"; did you mean "up"?`},
		{"migrate", "a command is required: errand migrate up|down|status"},
		{"migrate up now", `unexpected argument "now": usage: errand migrate up`},
		{"completion", "a command is required: errand completion bash|"},
		{"completion bsh", `unknown command "completion bsh"; did you mean "bash" or "zsh"?`},
		{"version --jsn", `unknown flag: --jsn; did you mean "--json"? "errand version --help" lists the flags`},
		{"version --jsonn", `did you mean "--json"?`},
		{"token --usr alice", `did you mean "--user"?`},
		{"serve --databse-url x", `did you mean "--database-url"?`},
		{"serve -x", `unknown flag: -x; "errand serve --help" lists the flags`},
		{"serve -addr :1", `unknown flag: -addr; did you mean "--addr"?`},
		{"serve 8080", `unexpected argument "8080": usage: errand serve`},
		{"doctor now", `unexpected argument "now"`},
		{"schema a", `unexpected argument "a"`},
		{"version a", `unexpected argument "a"`},
		{"mcp a", `unexpected argument "a"`},
		{"eval a", `unexpected argument "a"`},
		{"models a", `unexpected argument "a"`},
		{"backup", "one argument is required: errand backup FILE"},
		{"restore a b", "one argument is required: errand restore FILE"},
		{"token", "--user is required"},
		{"token alice", `unknown command "token alice"`},
		{"token creat", `unknown command "token creat"; did you mean "create"?`},
		{"token create --user a --name b", "--user, --name and --scope are required"},
		{"token create --user a --name b --scope tasks", `--scope: "tasks" is not one of`},
		{"token create --user a --name b --scope chat --expires soon", `--expires: "soon" is not`},
		{"token create --user a --name b --scope chat --expires -1d", `--expires: "-1d" is not`},
		{"token revoke", "one argument is required: errand token revoke ID"},
		{"token --user a --ttl soon", "--ttl"},
		{"user", "a command is required: errand user add|list|disable|enable|reset|adopt"},
		{"user ad", `unknown command "user ad"; did you mean "add" or "adopt"?`},
		{"user add", "one argument is required: errand user add LOGIN"},
		{"user adopt alice", "--dev is required"},
		{"user list alice", `unexpected argument "alice"`},
		{"eval --min much", "--min"},
		{"serve --addr", "flag needs an argument: --addr"},
	} {
		r := runInTest(t, nil, strings.Fields(tc.args)...)
		require.ErrorContains(t, r.err, tc.message, tc.args)
		require.Equal(t, exitUsage, r.code, tc.args)
		require.Empty(t, r.stdout+r.stderr, tc.args)
		require.NotContains(t, errorText(r.err), "\n", tc.args)
	}
}

func TestRun_SingleDashFlags_Accepted(t *testing.T) {
	for _, args := range []string{"token -user alice -ttl 1h -scopes chat", "token -user=alice", "token --user alice"} {
		r := runInTest(t, map[string]string{"ADDR": "127.0.0.1:0"}, strings.Fields(args)...)
		require.NoError(t, r.err, args)
		require.Regexp(t, `^[\w-]+\.[\w-]+\.[\w-]+\n$`, r.stdout, args)
	}
	require.Equal(t, []string{"--user", "-x", "--ttl=1h", "--", "-user"},
		doubleDashes([]string{"-user", "-x", "-ttl=1h", "--", "-user"}))
	r := runInTest(t, nil, "migrate", "-yes", "-no-copy", "status")
	require.NoError(t, r.err)
	require.Contains(t, r.stdout, "initial.sql")
}

func TestSingleDashFlags_AllExist(t *testing.T) {
	root := newRootCommand(&invocation{environ: map[string]string{}})
	for _, name := range singleDashFlags {
		found := false
		for _, path := range allCommands(t) {
			c, _, err := root.Find(path)
			require.NoError(t, err)
			c.InitDefaultHelpFlag()
			found = found || c.Flags().Lookup(name) != nil || c.PersistentFlags().Lookup(name) != nil
		}
		require.True(t, found, name)
	}
}

func TestRun_SettingFlags_OverrideEnvironment(t *testing.T) {
	load := func(environ map[string]string, args ...string) (config.Config, error) {
		inv := &invocation{environ: environ}
		root := newRootCommand(inv)
		cfg, err := config.Config{}, error(nil)
		root.AddCommand(&cobra.Command{Use: "probe", RunE: func(*cobra.Command, []string) error {
			cfg, err = inv.loadConfig()
			return err
		}})
		root.SetArgs(args)
		return cfg, errors.Join(err, root.Execute())
	}
	environ := func() map[string]string {
		return map[string]string{
			"ADDR":              "127.0.0.1:1",
			"NEON_DATABASE_URL": "postgres://neon/db",
			"ENVIRONMENT":       "production",
		}
	}
	for _, args := range []string{
		"probe --addr 127.0.0.1:2 --database-url sqlite:x.db --environment development",
		"--addr=127.0.0.1:2 --database-url=sqlite:x.db --environment=development probe",
	} {
		t.Chdir(t.TempDir())
		cfg, err := load(environ(), strings.Fields(args)...)
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:2", cfg.Server.Addr)
		require.Equal(t, "sqlite:x.db", cfg.Database.URL.String())
		require.Equal(t, config.Development, cfg.Environment)
	}
}

func TestRun_Completion_ScriptsAndValues(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := runInTest(t, nil, "completion", shell)
		require.NoError(t, r.err)
		require.Contains(t, r.stdout, "errand")
	}
	for args, wanted := range map[string]string{
		"mig":                  "migrate",
		"migrate ":             "status",
		"serve --environment ": "production",
		"models --provider ":   "anthropic",
		"help migrate ":        "down",
		"version --":           "--json",
	} {
		words := strings.Split(args, " ")
		r := runInTest(t, nil, append([]string{cobra.ShellCompRequestCmd}, words...)...)
		require.NoError(t, r.err, args)
		require.Contains(t, r.stdout, wanted, args)
	}
}

func TestErrorText_Errors_OneLine(t *testing.T) {
	joined := errors.Join(errors.New("first:\n\ttimeout\n\ttimeout"), errors.New("second"))
	require.Equal(t, "first: timeout; second", errorText(joined))
	_, err := config.Load(map[string]string{"ADDR": "x", "LOG_LEVEL": "x"}, "")
	require.Equal(t, 3, strings.Count(fmt.Sprintln(errorText(err)), "\n"))
	require.Equal(t, exitInterrupted, exitCode(exitError{context.Canceled, exitInterrupted}))
}

func TestCommandLineDocument_NamesCommandsAndFlags(t *testing.T) {
	text, err := os.ReadFile("../../docs/CLI.md")
	require.NoError(t, err)
	root := newRootCommand(&invocation{environ: map[string]string{}})
	check := func(f *pflag.Flag) { require.Contains(t, string(text), "--"+f.Name) }
	root.PersistentFlags().VisitAll(check)
	for _, path := range allCommands(t) {
		c, _, err := root.Find(path)
		require.NoError(t, err)
		c.LocalNonPersistentFlags().VisitAll(check)
		c.PersistentFlags().VisitAll(check)
		if path[0] != "help" {
			require.Contains(t, string(text), "`"+path[0], path)
			require.Contains(t, string(text), path[len(path)-1], path)
		}
	}
}
