package intent

import (
	"strings"
	"testing"
	"time"

	"errand/internal/due"
	"errand/internal/text"

	"github.com/stretchr/testify/require"
)

var noon = due.At(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), time.Monday)

// maxMessage is the maximum length of a message, in characters.
const maxMessage = 8000

// slack is how far one attempt may go below zero: one clause of values and names.
const slack = 20_000

func requireLinear(t testing.TB, message string) {
	_, steps := parse(message, noon)
	tokens := text.Tokenize(text.Clean(message)).Len()
	require.LessOrEqual(t, steps, minSteps+stepsPerToken*tokens+slack, "%.60q", message)
}

// TestParse_RepeatedWords_TakeLinearSteps repeats words that begin many attempts, in lines of several lengths.
func TestParse_RepeatedWords_TakeLinearSteps(t *testing.T) {
	for _, words := range []string{
		"tomorrow ", "and ", "5 ", "\"", "' ", "• ", "-\n", "delete ", "delete 1 and ", "add milk and add ", "a,", "not 1, ",
		"move 1 to friday and ", "move x to friday to ", "task ", "the ", "is done ", "all but ", "except 1 ", "add a\n",
		"mark 1 ", "what ", "show ", "please ", "ok, ", "no, ", "sorry, ", "1. ", "if ", "#a ", "i need to ", "remind me to ",
		"every ", "never mind. ", "😀 ", "in 1 hour and ", "? ", "delete it? ", "undo that: ", "set 1 to high and ",
		"delte 1. ",
	} {
		for _, length := range []int{20, 50, 100, 190, maxMessage} {
			line := strings.Repeat(words, length/len(words)+1) + "\n"
			requireLinear(t, strings.Repeat(line, max(1, maxMessage/len(line))))
		}
	}
}

// FuzzParse_AnyMessage_TakesLinearSteps repeats parts of messages up to the maximum length.
func FuzzParse_AnyMessage_TakesLinearSteps(f *testing.F) {
	f.Add("delete 1 and the ", "add milk tomorrow, ")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) == 0 {
			return
		}
		whole := strings.Repeat(a+b, maxMessage/len(a+b)+1)
		requireLinear(t, whole[:min(len(whole), maxMessage)])
	})
}
