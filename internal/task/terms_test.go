package task

import (
	"strings"
	"testing"

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
		require.Equal(t, want, indexTerms(text, ""), "%q", text)
	}
}

func TestIndexTerms_LongDescription_IsBoundedWithTitleFirst(t *testing.T) {
	var b strings.Builder
	for r := rune(0x4E00); r < 0x4E00+10_000; r++ {
		b.WriteRune(r)
	}
	terms := indexTerms("the title", b.String())
	require.Len(t, terms, maxTerms)
	require.Equal(t, []string{"the", "title"}, terms[:2])
	require.Len(t, searchTerms(b.String()), maxSearchTerms)
}

func TestSearchTerms_Kinds(t *testing.T) {
	require.Equal(t, []searchTerm{
		{"ap", prefixTerm}, {"東京", exactTerm}, {"京都", exactTerm}, {"駅", prefixTerm}, {"%", exactTerm},
	}, searchTerms("Ap 東京都 駅 ap %"))
}
