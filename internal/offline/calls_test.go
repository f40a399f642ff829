package offline_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the actual calls to testdata/calls.txt")

// standard returns a fixture with five tasks, the last of them completed.
func standard(t testingT) *fixture {
	w := newFixture(t, "Buy groceries", "Pay bills", "Team meeting", "Call Bob", "Write report")
	w.complete(5)
	return w
}

// TestModel_Utterances_MakeExpectedCalls compares the calls for single messages, each in a standard fixture, with
// testdata/calls.txt: a line with the message, then its calls, or, after "=", the beginning of the reply.
func TestModel_Utterances_MakeExpectedCalls(t *testing.T) {
	const path = "testdata/calls.txt"
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []string
	lines := strings.Split(string(content), "\n")
	for i := 0; i < len(lines); i++ {
		out = append(out, lines[i])
		if lines[i] == "" || strings.HasPrefix(lines[i], "# ") {
			continue
		}
		message := strings.ReplaceAll(lines[i], `\n`, "\n")
		var want []string
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t") {
			i++
			want = append(want, strings.TrimPrefix(lines[i], "\t"))
		}
		t.Run(message, func(t *testing.T) {
			w := standard(t)
			reply := w.say(message)
			got := w.calls
			if len(got) == 0 {
				got = []string{"= " + beginning(reply)}
			}
			for _, line := range got {
				out = append(out, "\t"+line)
			}
			if !*update {
				require.Equal(t, want, got)
			}
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(out, "\n")), 0o600))
	}
}

// beginning returns the first words of a reply.
func beginning(reply string) string {
	first, _, _ := strings.Cut(reply, "\n")
	words := strings.Fields(first)
	return strings.Join(words[:min(len(words), 9)], " ")
}
