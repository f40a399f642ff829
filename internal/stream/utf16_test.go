package stream

import (
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestUTF16Len_AnyText_EqualsEncodedLength(t *testing.T) {
	for text, units := range map[string]int{
		"": 0, "abc": 3, "déf": 3, "€": 1, "𝄞": 2, "a𝄞b": 4, "👩‍👩‍👧": 8, "\u0000": 1,
		"\uffff": 1, "\U00010000": 2,
	} {
		require.Equal(t, units, UTF16Len(text), "%q", text)
		require.Len(t, utf16.Encode([]rune(text)), units, "%q", text)
	}
}

func TestUTF16Suffix_OffsetInsideCharacter_ReturnsFalse(t *testing.T) {
	const text = "a𝄞é"
	for offset, want := range map[int]string{0: text, 1: "𝄞é", 3: "é", 4: ""} {
		rest, ok := UTF16Suffix(text, offset)
		require.True(t, ok, offset)
		require.Equal(t, want, rest, offset)
	}
	for _, offset := range []int{-1, 2, 5, 100} { // 2 is between the surrogates
		_, ok := UTF16Suffix(text, offset)
		require.False(t, ok, offset)
	}
	rest, ok := UTF16Suffix("", 0)
	require.True(t, ok)
	require.Empty(t, rest)
}

func TestUTF16Prefix_OffsetInsideCharacter_KeepsCharacter(t *testing.T) {
	const text = "a𝄞é"
	for units, want := range map[int]string{-3: "", 0: "", 1: "a", 2: "a𝄞", 3: "a𝄞", 4: text, 99: text} {
		require.Equal(t, want, utf16Prefix(text, units), units)
	}
}

func FuzzUTF16Suffix(f *testing.F) {
	f.Add("a𝄞é", 2)
	f.Add("", 0)
	f.Add("👩‍👩‍👧", -1)
	f.Fuzz(func(t *testing.T, text string, offset int) {
		if !utf8.ValidString(text) {
			return // texts are valid UTF-8
		}
		all := utf16.Encode([]rune(text))
		require.Len(t, all, UTF16Len(text))
		rest, ok := UTF16Suffix(text, offset)
		if ok {
			require.Equal(t, string(utf16.Decode(all[offset:])), rest)
			require.Equal(t, text, utf16Prefix(text, offset)+rest)
		}
		inside := offset > 0 && offset < len(all) && utf16.IsSurrogate(rune(all[offset])) && all[offset] >= 0xDC00
		require.Equal(t, offset >= 0 && offset <= len(all) && !inside, ok)
	})
}
