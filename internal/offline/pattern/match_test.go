package pattern_test

import (
	"strings"
	"testing"

	"errand/internal/lexicon"
	"errand/internal/offline/pattern"
	"errand/internal/text"

	"github.com/stretchr/testify/require"
)

// checker accepts matches of captures that hold no comma.
type checker struct{ steps int }

func (c *checker) Step() bool {
	c.steps--
	return c.steps >= 0
}

func (c *checker) MayBegin(string, string) bool { return true }

func (c *checker) MayCapture(_ string, t text.Text) bool { return !strings.Contains(t.String(), ",") }

func (c *checker) Accept(int) bool { return true }

func newMatcher(steps int, s, in string) *pattern.Matcher {
	words := lexicon.New(func(phrase string) [][]string { return [][]string{strings.Fields(phrase)} })
	words.Add("noun", "task", "to_do=x")
	return &pattern.Matcher{
		Checker: &checker{steps},
		Words:   words,
		Pattern: pattern.Compile(words, s),
		Text:    text.Tokenize(in),
	}
}

func TestMatch_Patterns_CaptureFewestTokens(t *testing.T) {
	for _, test := range []struct{ pattern, in, want string }{
		{"add|put_down <title>", "put down milk and eggs", "title=milk and eggs"},
		{"add <title> to [my] list", "add go to work to list", "title=go to work"},
		{"add [a] {noun} <title?>", "add a to do", "title="},
		{"<{noun}> <n>", "to do 3", "{noun}=to do n=3"},
		{"delete <ref> now", "delete 1, now", "ref=1"},
		{"delete <ref>", "complete 1", "no match"},
		{"delete <ref> now", "delete 1, 2 now", "no match"},
	} {
		m, got := newMatcher(100, test.pattern, test.in), "no match"
		if m.Match() {
			var parts []string
			for _, c := range m.Captures() {
				parts = append(parts, c.Name+"="+c.Text.String())
			}
			got = strings.Join(parts, " ")
		}
		require.Equal(t, test.want, got, test.pattern)
	}
}

func TestMatch_NoStepsLeft_DoesNotMatch(t *testing.T) {
	require.True(t, newMatcher(10, "add <title> to list", "add milk to list").Match())
	require.False(t, newMatcher(4, "add <title> to list", "add milk to list").Match())
}

func TestMatch_Prefix_EndsBeforeTheText(t *testing.T) {
	m := newMatcher(10, "add {noun}", "add task milk")
	require.False(t, m.Match())
	m.Prefix = true
	require.True(t, m.Match())
}
