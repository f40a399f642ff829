package due

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"errand/internal/editdist"
	"errand/internal/text"
)

// titles.txt has titles of works, events and products that look like dates, one on a line, as keys of words.
//
//go:embed titles.txt
var titleLines string

// titles has the titles of titles.txt by their first word.
var titles = func() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(titleLines) {
		if line = strings.TrimSpace(line); line != "" {
			first, _, _ := strings.Cut(line, " ")
			all[first] = append(all[first], line)
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return all
}()

// title returns the end of a known title at i, or i.
func (p parser) title(i int) int {
	if end, ok := p.anyAt(i, titles[p.word(i)]...); ok {
		return end
	}
	return i
}

// scripture are books that are cited by chapter and verse. namedScripture are also names of people, so that they count
// only after readers.
var (
	scripture = setOf("genesis exodus leviticus deuteronomy kings chronicles ezra nehemiah psalm psalms proverbs " +
		"ecclesiastes isaiah jeremiah lamentations ezekiel hosea obadiah habakkuk zephaniah haggai zechariah malachi acts " +
		"romans corinthians galatians ephesians philippians colossians thessalonians philemon hebrews revelation surah " +
		"sura quran verse chapter ratio score")
	namedScripture = setOf("john mark luke matthew james peter jude ruth esther job daniel joel amos jonah micah nahum " +
		"joshua judges samuel timothy titus numbers")
	readers = setOf("read reread study memorize memorise learn recite quote preach teach discuss on from 1 2 3 1st 2nd")
)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// spellings are the names that misspelt compares with. Shorter names have too many neighbours among other words.
var spellings = []string{
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "tomorrow", "tonight", "january",
	"february", "september", "october", "november", "december", "weekend",
}

// otherWords are words close to one of spellings.
var otherWords = setOf(
	"sundae sundaes frida saturate saturated tomorrows mondays tuesdays wednesdays thursdays fridays " +
		"saturdays sundays tonights weekends weekender midday weekday weekdays weekened tomorrowland septembers",
)

// misspelt recognizes a name with typing errors, which is never certain.
func (p parser) misspelt(i int, _ string) (day, bool) {
	name := nearName(p.word(i))
	if name == "" {
		return day{}, false
	}
	invalid := fmt.Sprintf("Did you mean “%s” by “%s”?", name, p.word(i))
	return day{end: i + 1, unambiguous: true, invalid: invalid}, true
}

// nearName returns the name that w misspells: with the same first letter and one typing error, or two in a name of
// eight letters and more. It returns "" if there is none.
func nearName(w string) string {
	if len(w) < 5 || len(w) > 12 || otherWords[w] {
		return ""
	}
	for _, name := range spellings {
		limit := 1
		if len(name) >= 8 {
			limit = 2
		}
		if w[0] != name[0] || w == name || strings.TrimSuffix(w, "s") == name {
			continue
		}
		if max(len(w)-len(name), len(name)-len(w)) > limit {
			continue // the distance is at least the difference of the lengths
		}
		if d := editdist.Distance(w, name); d <= limit {
			if lowerNames[name] {
				return name
			}
			return text.Capitalize(name)
		}
	}
	return ""
}

// lowerNames are the names that are not written with a capital letter.
var lowerNames = map[string]bool{"tomorrow": true, "tonight": true, "weekend": true}
