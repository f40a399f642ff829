package terms

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestIndexTerms_Scripts_AreSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"Buy  MILK, buy milk":         {"buy", "milk", ","},
		"Äpfel für Žižek":             {"apfel", "fur", "zizek"},
		"don't":                       {"don", "'", "t"},
		"100% of_it":                  {"100", "%", "of", "_", "it"},
		"c++ 🦊🦊":                      {"c", "+", "🦊"},
		"東京都 Tower":                   {"東京", "京都", "都", "tower"},
		"ＡＢＣ１":                        {"abc1"},
		"서울역":                         {"서울역"},
		"ไป":                          {"ไป", "ป"},
		"a\u200bb \x01":               {"a", "b"},
		"":                            nil,
		strings.Repeat("ü", 40) + "x": {strings.Repeat("u", 32)},
	} {
		require.Equal(t, want, Index(text), "%q", text)
	}
}

func TestIndexTerms_LongDescription_IsBoundedWithTitleFirst(t *testing.T) {
	var b strings.Builder
	for r := rune(0x4E00); r < 0x4E00+10_000; r++ {
		b.WriteRune(r)
	}
	terms := Index("the title", b.String())
	require.Len(t, terms, MaxTerms)
	require.Equal(t, []string{"the", "title"}, terms[:2])
	require.Len(t, Search(b.String()), MaxSearch)
}

func TestSearchTerms_Kinds(t *testing.T) {
	require.Equal(t, []Query{
		{"ap", true}, {"東京", false}, {"京都", false}, {"駅", true}, {"%", false},
	}, Search("Ap 東京都 駅 ap %"))
}

func TestSnippet_Texts_AreCutAroundTheFirstMatch(t *testing.T) {
	long := strings.Repeat("before ", 50) + "Zébra 東京都庁 " + strings.Repeat("after ", 50)
	for search, want := range map[string]string{
		"zeb": "Zébra", "京都": "京都庁", "nowhere": "before before",
	} {
		snippet := Snippet(long, Search(search), 60)
		require.Contains(t, snippet, want)
		require.LessOrEqual(t, utf8.RuneCountInString(snippet), 62)
		require.True(t, strings.HasSuffix(snippet, "…"))
	}
	require.Equal(t, "a b", Snippet(" a\n\tb ", Search("b"), 60))
	require.Empty(t, Snippet("", Search("b"), 60))
	require.Equal(t, strings.Repeat("x", 60)+"…", Snippet(strings.Repeat("x", 100), Search("x"), 60))
}
