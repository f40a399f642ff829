package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// bashWords is what the script uses of the package bash-completion.
const bashWords = `_get_comp_words_by_ref() {
	words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}
}
`

// TestCompletion_Scripts_WorkInTheirShells sources the scripts in the shells that the machine has; bash is required.
func TestCompletion_Scripts_WorkInTheirShells(t *testing.T) {
	t.Parallel()
	errand := harness.Command(t, nil, "version").Path
	script := func(shell string) string {
		path := filepath.Join(t.TempDir(), shell)
		require.NoError(t, os.WriteFile(path, []byte(harness.RunCommand(t, nil, "completion", shell)), 0o600))
		return path
	}
	run := func(shell string, args ...string) string {
		command := exec.Command(shell, args...)
		command.Dir = t.TempDir()
		command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + command.Dir, "ERRAND=" + errand}
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s: %s", shell, out)
		return string(out)
	}

	bash := script("bash")
	require.Empty(t, run("bash", "-n", bash))
	require.Contains(t, run("bash", "-c", ". "+bash+"; complete -p errand"), "-F __start_errand errand")
	for line, want := range map[string]string{
		"mig":                        "migrate",
		"migrate st":                 "status",
		"serve --environment prod":   "production",
		"token create --scope tasks": "tasks:read tasks:write",
		"nothing-begins-so":          "",
	} {
		out := run("bash", "-c", bashWords+". "+bash+`
			COMP_WORDS=("$ERRAND" `+line+`); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="errand `+line+`"
			COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
			__start_errand 2>/dev/null
			printf '%s\n' "${COMPREPLY[@]}"`)
		require.Equal(t, want, strings.Join(strings.Fields(out), " "), line)
	}

	for _, shell := range []string{"zsh", "fish"} {
		if _, err := exec.LookPath(shell); err == nil {
			require.Empty(t, run(shell, "-n", script(shell)), shell)
		}
	}
}
