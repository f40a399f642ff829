package llm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var filterPieces = []string{
	"<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<|channel|>", "analysis", "final",
	"<|message|>", "<|end|>", "<|start|>assistant", " to=functions.add_task ", "```", "```json\n", "`", "\n", " ", "<",
	"[",
	"{", "}", "add_task", "(", ")", `{"name":"add_task","arguments":{}}`, "<tool_call>", "</tool_call>", "[TOOL_CALLS]",
	"a", "é", "◁think▷", "◁/think▷", "—", "<func", "tion=", ",", ";", "\"", "~~~", "</s>",
}

// filterAll returns what a filter shows and captures of text in chunks.
func filterAll(chunks []string) (shown, captured string) {
	f := textFilter{tools: []Tool{{Name: "add_task"}}}
	add := func(s string, end bool) {
		out := f.add(s, end)
		if f.unopened {
			f.unopened, shown = false, ""
		}
		shown += out
	}
	for _, c := range chunks {
		add(c, false)
	}
	add("", true)
	return shown, f.captured.String()
}

// TestTextFilter_AnySplit_SameResult checks that the place of the chunks' borders has no effect, and that text without
// markup is unchanged.
func TestTextFilter_AnySplit_SameResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom(filterPieces), 0, 12).Draw(t, "pieces")
		text := strings.Join(pieces, "")
		shown, captured := filterAll([]string{text})
		for _, chunks := range [][]string{pieces, strings.Split(text, "")} {
			gotShown, gotCaptured := filterAll(chunks)
			require.Equal(t, shown, gotShown)
			require.Equal(t, captured, gotCaptured)
		}
		plain := rapid.StringMatching(`[A-Za-z .,!?\n-]{0,80}`).Draw(t, "plain")
		shown, captured = filterAll(strings.SplitAfter(plain, " "))
		require.Equal(t, plain, shown+captured)
	})
}

func TestTextFilter_ChunkEndsWithinCharacter_ReasoningIsDropped(t *testing.T) {
	shown, _ := filterAll([]string{"<thinking>", strings.Repeat("◁", 20), "<think>", "final", "</thinking>", "Done."})
	require.Equal(t, "Done.", shown)
}

func FuzzParseWrittenCalls(f *testing.F) {
	for _, p := range filterPieces {
		f.Add(p + filterPieces[len(p)%len(filterPieces)])
	}
	f.Add(`<tool_call>{"name":"add_task","arguments":{"title":"x"}}</tool_call>`)
	f.Add(`[add_task(title='a', n=[1, True]), add_task()]`)
	f.Add(`<function=add_task><parameter=title>x</parameter></function>`)
	f.Fuzz(func(t *testing.T, s string) {
		tools := []Tool{{Name: "add_task"}, {Name: "list_tasks"}}
		calls, _ := parseWrittenCalls(s, tools)
		for _, c := range calls {
			_, ok := parseArguments(c.Arguments)
			require.True(t, ok)
			require.True(t, isOffered([]string{"", c.Name}, tools))
		}
		shown, captured := filterAll([]string{s})
		require.LessOrEqual(t, len(shown)+len(captured), len(s))
	})
}
