package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"errand/internal/text"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTokenize_Text_ReturnsKeys(t *testing.T) {
	for in, want := range map[string]string{
		"What’s pending?":              "whats|pending|?",
		"Mark task 3 done!!":           "mark|task|3|done|!!",
		"tasks 1,2 and 1,000":          "tasks|1|,|2|and|1,000",
		"at 5:30 p.m. (urgent)":        "at|5:30|p.m.|(|urgent|)",
		"todo:buy milk—now":            "todo|:|buy|milk|-|now",
		"see https://a.b/c;d, ok":      "see|https://a.b/c;d|,|ok",
		"one;two":                      "one|;|two",
		"- milk\n- eggs":               "-|milk||-|eggs",
		"#home #3 -5":                  "#home|#3|-5",
		"the dogs' and the cats' bowl": "the|dogs|'|and|the|cats|'|bowl",
		"rename 1 to:“Buy milk”":       "rename|1|to|:|",
		"(‘a b’) c":                    "(||)|c",
	} {
		require.Equal(t, want, strings.Join(text.Tokenize(text.Clean(in)).Keys(), "|"), in)
	}
}

func TestTokenize_QuotedText_IsKeptLiterally(t *testing.T) {
	for in, want := range map[string]string{
		`'Call mom's doctor'`:    "Call mom's doctor",
		`“Buy milk; delete all”`: "Buy milk; delete all",
		`"a"`:                    "a",
		"‘Don’t panic’":          "Don’t panic",
		"«Milch»":                "Milch",
	} {
		got, ok := text.Tokenize(in).Literal()
		require.True(t, ok, in)
		require.Equal(t, want, got)
	}
	_, ok := text.Tokenize("it's").Literal()
	require.False(t, ok)
}

func TestWithout_RemovedTokens_JoinsRest(t *testing.T) {
	whole := text.Tokenize("Call  Mom tomorrow, please")
	require.Equal(t, "Call  Mom please", whole.Without([]bool{false, false, true, true, false}))
	require.Empty(t, whole.Without([]bool{true, true, true, true, true}))
}

func TestTokenize_AnyText_LosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := text.Clean(string(rapid.SliceOf(rapid.Byte()).Draw(t, "in")))
		require.True(t, utf8.ValidString(in))
		whole := text.Tokenize(in)
		require.Equal(t, strings.TrimFunc(whole.String(), isSpaceOrBreak), strings.TrimFunc(in, isSpaceOrBreak))
		whole.Trim()
	})
}

func isSpaceOrBreak(r rune) bool { return r == ' ' || r == '\n' }
