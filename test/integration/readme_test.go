package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// readmeCommands returns the shell commands of a section of README.md: its blocks of the language sh.
func readmeCommands(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, found, "README.md has no section %q", heading)
	section, _, _ = strings.Cut(section, "\n## ")
	var commands strings.Builder
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(section, -1) {
		commands.WriteString(block[1])
	}
	require.NotEmpty(t, commands.String())
	return commands.String()
}

// TestReadme_FirstReply_RunsAsWritten runs the commands in one shell, with the port of the test's server.
func TestReadme_FirstReply_RunsAsWritten(t *testing.T) {
	t.Parallel()
	commands := readmeCommands(t, "Two minutes to a first reply")
	require.NotContains(t, commands, "jq ")
	for _, shell := range []string{"sh", "bash"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			p := harness.StartProcess(t, "sqlite:./data/errand.db", harness.Settings{"BETTER_AUTH_SECRET": ""})
			script := strings.ReplaceAll(commands, "http://localhost:8080", p.URL)
			require.NotContains(t, script, "8080")
			run := exec.Command(shell, "-c", script)
			run.Dir = t.TempDir()
			out, err := run.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), `"assistantMessage":{"status":"PENDING"}`)
			require.Regexp(t, `"__typename":"MessageFinished".*"status":"COMPLETED"|"role":"ASSISTANT","content":"Added task 1`,
				string(out))
			require.NotContains(t, string(out), `"errors"`)
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			var tasks struct {
				Data struct {
					Tasks struct {
						Nodes []struct {
							Number int
							Title  string
							DueAt  *string
						}
					}
				}
			}
			require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &tasks), "%s", out)
			require.Len(t, tasks.Data.Tasks.Nodes, 1)
			require.Equal(t, "Buy groceries", tasks.Data.Tasks.Nodes[0].Title)
			require.NotNil(t, tasks.Data.Tasks.Nodes[0].DueAt)
		})
	}
}
