package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun_VersionFlags_PrintBuildInfo(t *testing.T) {
	for _, name := range []string{"version", "--version", "-v"} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), []string{name}, invocation{stdout: &out}))
		require.Regexp(t, `^errand \S+\ncommit: .+\ndate: .+\ngo: go.+ .+/.+\n$`, out.String())
	}
}

func TestRun_NoCommandOrHelp_ListsCommands(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), args, invocation{stdout: &out}))
		for _, c := range commands {
			require.Contains(t, out.String(), "errand "+c.synopsis)
		}
	}
}

func TestRun_CommandHelp_PrintsUsage(t *testing.T) {
	for _, c := range commands {
		for _, args := range [][]string{{"help", c.name}, {c.name, "-h"}} {
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), args, invocation{stderr: &out}))
			require.Contains(t, out.String(), "errand "+c.name)
		}
	}
}

func TestRun_UnknownCommand_Error(t *testing.T) {
	err := run(t.Context(), []string{"serv"}, invocation{})
	require.ErrorContains(t, err, `unknown command "serv"`)
}
