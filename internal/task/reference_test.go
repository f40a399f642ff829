package task

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"errand/ent"
	"errand/internal/terms"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// The functions below state the rule a second time, with other code: a certain match lacks none of the words named.
// They accept every inflection of a word, also such that the package does not.

// ignoredWords is the stop list.
var ignoredWords = strings.Fields("a an the my your our their his her this that these those please pls kindly thanks " +
	"thank you task tasks thing things item items one")

// plainTokens splits a text into folded letters and digits, and other visible characters other than punctuation.
func plainTokens(text string) []string {
	text = strings.ToLower(letterForms.Replace(norm.NFKD.String(letterForms.Replace(text))))
	text = strings.NewReplacer("'s ", " ", "’s ", " ", "'", "", "’", "", "&", " and ").Replace(text + " ")
	var out []string
	token := ""
	flush := func() {
		if token != "" {
			out = append(out, token)
		}
		token = ""
	}
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			token += string(asciiDigit(r))
		case unicode.Is(unicode.Me, r) || r > 0xFE0F && unicode.IsMark(r):
			flush()
		case unicode.IsMark(r) || unicode.Is(unicode.Cf, r):
		case unicode.In(r, unicode.So, unicode.Sc):
			flush()
			out = append(out, string(r))
		default:
			flush()
		}
	}
	flush()
	return out
}

// asciiDigit returns the ASCII form of a decimal digit, and other characters as they are.
func asciiDigit(r rune) rune {
	for _, digits := range unicode.Nd.R16 {
		if r >= rune(digits.Lo) && r <= rune(digits.Hi) {
			return '0' + (r-rune(digits.Lo))%10
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if r >= rune(digits.Lo) && r <= rune(digits.Hi) {
			return '0' + (r-rune(digits.Lo))%10
		}
	}
	return r
}

// stems returns the texts that a word may be an inflection of.
func stems(w string) []string {
	out := []string{w}
	for _, suffix := range []string{"s", "es", "ing", "ed", "d"} {
		if stem, ok := strings.CutSuffix(w, suffix); ok && len(stem) > 1 {
			out = append(out, stem, stem+"e")
			if n := len(stem); stem[n-1] == stem[n-2] {
				out = append(out, stem[:n-1])
			}
			if y, ok := strings.CutSuffix(stem, "i"); ok {
				out = append(out, y+"y")
			}
		}
	}
	if stem, ok := strings.CutSuffix(w, "ies"); ok {
		out = append(out, stem+"y", stem+"ie")
	}
	if stem, ok := strings.CutSuffix(w, "ied"); ok {
		out = append(out, stem+"y")
	}
	return out
}

// holdsPlainly reports whether a title holds a token of a reference.
func holdsPlainly(title []string, token string) bool {
	unspaced := strings.ContainsFunc(token, terms.IsUnspacedRune)
	return slices.ContainsFunc(title, func(t string) bool {
		if unspaced || strings.ContainsFunc(t, terms.IsUnspacedRune) {
			return strings.Contains(t, token) && (t == token || !unspaced || len([]rune(token)) > 1)
		}
		return slices.ContainsFunc(stems(token), func(s string) bool { return slices.Contains(stems(t), s) })
	})
}

// checkCertain fails the test if the title that a reference names with certainty lacks a word of it.
func checkCertain(t require.TestingT, text string, titles []string) {
	r, err := parseReference(text)
	if err != nil {
		return
	}
	if r.number > 0 {
		r = r.withNumber()
	}
	found := newRanking(r)
	for i, title := range titles {
		found.add(&titleRow{ID: fmt.Sprint(i), Number: i + 1, Title: title})
	}
	require.LessOrEqual(t, len(found.best), MaxCandidates)
	certain := found.certain()
	if certain == "" {
		return
	}
	require.Zero(t, r.number, "%q: a number that no task has is certain", text)
	var at int
	_, err = fmt.Sscan(certain, &at)
	require.NoError(t, err)
	title := plainTokens(titles[at])
	for _, token := range plainTokens(text) {
		if !slices.Contains(ignoredWords, token) {
			require.True(t, holdsPlainly(title, token), "%q lacks %q of the reference %q", titles[at], token, text)
		}
	}
	for i, other := range titles {
		require.False(t, i != at && other == titles[at], "%q is certain, but two titles are %q", text, other)
	}
}

// sampleWords are parts of titles and references that differ in one aspect each.
var sampleWords = []string{
	"cat", "cats", "Cat", "catering", "order", "plan", "planning", "planned", "plane", "a", "A", "an", "b", "B", "d", "i",
	"6", "7", "8", "16", "1.6", "07", "one", "two", "first", "the", "my", "task", "item", "please", "thanks", "vitamin",
	"Jen", "Jens", "Jen's", "james", "café", "cafe", "CAFÉ", "müller", "straße", "strasse", "ёлка", "елка", "σας", "ΣΑΣ",
	"東京", "京都", "東京都庁", "牛乳を買う", "牛乳", "パン", "フライパン", "买牛奶和面包", "第8章", "第7章", "นม", "ซื้อนม", "회의", "회의실",
	"🦊", "🐱", "👍🏽", "🇺🇸", "🇦🇺🇸🇬", "7️⃣", "c", "c++", "c#", "$", "€", "50", "5%", "r&d", "12-16", "#6", "# 6", "no",
	"news", "new", "bus", "buses", "wing", "wed", "٣", "３", "½", "x\u200dy", "\u202e", "-", "!!", "\"", "it", "all",
	"last",
}

// sampleText draws a text of sample words, of words made at random, or of a great length.
func sampleText() *rapid.Generator[string] {
	word := rapid.OneOf(
		rapid.SampledFrom(sampleWords), rapid.SampledFrom(sampleWords), rapid.SampledFrom(sampleWords),
		rapid.StringMatching(`[a-d]{1,4}(s|es|ing|ed|ies)?`), rapid.StringN(1, 3, 12),
	)
	return rapid.Custom(func(t *rapid.T) string {
		separator := rapid.SampledFrom([]string{" ", " ", "-", "", ", "}).Draw(t, "separator")
		text := strings.Join(rapid.SliceOfN(word, 1, 5).Draw(t, "words"), separator)
		if rapid.IntRange(0, 50).Draw(t, "long") == 0 {
			text = strings.Repeat(text, 40)
		}
		return text
	})
}

func TestReference_RandomTitles_CertainLacksNoWord(t *testing.T) {
	t.Parallel()
	certain := 0
	rapid.Check(t, func(rt *rapid.T) {
		titles := rapid.SliceOfN(sampleText(), 1, 8).Draw(rt, "titles")
		text := sampleText().Draw(rt, "reference")
		if rapid.Bool().Draw(rt, "from a title") { // with one word replaced, removed or added
			text = rapid.SampledFrom(titles).Draw(rt, "title")
			parts := strings.Fields(text)
			if len(parts) > 0 {
				at := rapid.IntRange(0, len(parts)-1).Draw(rt, "at")
				parts[at] = rapid.SampledFrom(append([]string{"", "the " + parts[at]}, sampleWords...)).Draw(rt, "word")
				text = strings.Join(parts, " ")
			}
		}
		checkCertain(rt, text, titles)
		if r, err := parseReference(text); err == nil {
			found := newRanking(r)
			for i, title := range titles {
				found.add(&titleRow{ID: fmt.Sprint(i), Number: i + 1, Title: title})
			}
			if found.certain() != "" {
				certain++
			}
		}
	})
	require.Positive(t, certain, "no reference was certain")
}

// TestReference_RandomTitles_IndexHasWordsThatTitlesHold checks that the search index finds each title that holds all
// words of a reference.
func TestReference_RandomTitles_IndexHasWordsThatTitlesHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		title, text := sampleText().Draw(rt, "title"), sampleText().Draw(rt, "reference")
		if rapid.Bool().Draw(rt, "from the title") {
			text = title
		}
		checkIndexed(rt, text, title)
	})
	for _, forms := range [][]string{
		{"plan", "plans", "planned", "planning"},
		{"visit", "visits", "visited", "visiting"},
		{"move", "moves", "moved", "moving"},
		{"story", "stories", "storied"},
		{"tie", "ties", "tied"},
		{"box", "boxes"},
		{"call", "calls", "called", "calling"},
		{"go", "goes", "going"},
		{"use", "uses", "used", "using"},
		{"Jens", "Jens'", "Jen's"},
		{"Mom", "Mom's", "Moms"},
		{"c++", "C++"},
		{"1.5", "１.５"},
		{"rock'n'roll", "rocknroll"},
		{"strasse", "Straße"},
		{"œuvre", "Oeuvre"},
	} {
		for _, named := range forms {
			for _, titled := range forms {
				checkIndexed(t, "Find "+named, "find "+titled)
			}
		}
	}
}

func checkIndexed(t require.TestingT, text, title string) {
	r, err := parseReference(text)
	if err != nil {
		return
	}
	named := r.named
	if len(named) == 0 {
		named = r.all
	}
	if !holdsAll(words(title), named) && !sameWords(words(title), r.all) {
		return
	}
	entries := indexEntries(&ent.Task{Title: title})
	for _, w := range named {
		for _, m := range w.matches() {
			has := slices.ContainsFunc(entries, func(e string) bool {
				return slices.Contains(m.Terms, e) || m.Prefix && strings.HasPrefix(e, m.Terms[0])
			})
			require.True(t, has, "%q holds %q, but %q lacks %q", title, w.text, entries, m.Terms)
		}
	}
}

func FuzzReference(f *testing.F) {
	for _, seed := range [][2]string{
		{"chapter 8", "Chapter 7\nChapter 18"},
		{"the cat task", "Catering order"},
		{"京都", "東京都庁"},
		{"Jens", "Call Jen"},
		{"the one", "Chapter one"},
		{"vitamin a", "Vitamin D"},
		{"#6 invoice", "Pay invoice 6"},
		{"7️⃣", "Chapter 7"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, lines string) {
		titles := strings.Split(lines, "\n")
		for i, title := range titles {
			titles[i] = string([]rune(title)[:min(len([]rune(title)), MaxTitle)])
		}
		checkCertain(t, text, titles[:min(len(titles), 20)])
	})
}
