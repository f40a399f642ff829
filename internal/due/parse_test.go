package due_test

import (
	"archive/zip"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/due"
	"errand/internal/text"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse_ByKind_ReturnsDateOrReason(t *testing.T) {
	for in, want := range map[string]string{
		"Fri 4 Dec at 10":                 "Fri 4 Dec 2026, 10:00",
		"Dec 4 (Fri)":                     "Fri 4 Dec 2026",
		"Fri, 04 Dec 2026 10:00:00 +0200": "Fri 4 Dec 2026, 09:00",
		"Thu 4 Dec at 10":                 "4 December 2026 is a Friday, not a Thursday.",
		"in 1 h 30 m":                     "Wed 25 Nov 2026, 13:05",
		"in 1h30m":                        "Wed 25 Nov 2026, 13:05",
		"in one and a half hours":         "Wed 25 Nov 2026, 13:05",
		"in a week and a half":            "Sat 5 Dec 2026",
		"two weeks from Monday":           "Mon 14 Dec 2026",
		"2 days before Dec 10":            "Tue 8 Dec 2026",
		"2 hours before friday 5pm":       "Fri 27 Nov 2026, 15:00",
		"friday week":                     "Fri 4 Dec 2026",
		"3rd Friday of next month":        "Fri 18 Dec 2026",
		"last day of february":            "Sun 28 Feb 2027",
		"5th friday of december":          "There is no 5th friday of december.",
		"17h":                             "Wed 25 Nov 2026, 17:00",
		"1630":                            "Wed 25 Nov 2026, 16:30",
		"830pm":                           "Wed 25 Nov 2026, 20:30",
		"2026-12-04T10:00:00+02:00":       "Fri 4 Dec 2026, 09:00",
		"2026-12-04T10:00:00.000Z":        "Fri 4 Dec 2026, 11:00",
		"2026/12/04 10:00":                "Fri 4 Dec 2026, 10:00",
		"tomorrow 5pm PST":                "Fri 27 Nov 2026, 02:00",
		"tomorrow 5pm new york time":      "Thu 26 Nov 2026, 23:00",
		"5pm UTC+5:30 tomorrow":           "Thu 26 Nov 2026, 12:30",
		"jul 1 2027 5pm cet":              "Thu 1 Jul 2027, 18:00",
		"tomorrow 5pm CST":                "The zone CST has several meanings. Please write an offset, such as +01:00.",
		"tomorrow 5pm europe/atlantis":    "I do not know the time zone europe/atlantis.",
		"3/4": "I cannot tell the day from the month in 3/4. Please write the date like " +
			"2027-01-31.",
		"4/13/27":                      "Tue 13 Apr 2027",
		"4-Dec-2026":                   "Fri 4 Dec 2026",
		"in a fortnight":               "Wed 9 Dec 2026",
		"noon tomorrow":                "Thu 26 Nov 2026, 12:00",
		"first thing tomorrow":         "Thu 26 Nov 2026, 09:00",
		"friday EOD":                   "Fri 27 Nov 2026",
		"new year's eve":               "Thu 31 Dec 2026",
		"easter":                       "Sun 28 Mar 2027",
		"last friday":                  "“last friday” is in the past.",
		"today at 8am":                 "Wed 25 Nov 2026, 08:00 is in the past.",
		"today at 8":                   "Wed 25 Nov 2026, 20:00",
		"29 feb 2027":                  "There is no 29 February 2027.",
		"every monday":                 "“every monday” is a repetition, and tasks do not repeat.",
		`"tomorrow"`:                   "Thu 26 Nov 2026",
		"in 3 business days":           "Mon 30 Nov 2026",
		strings.Repeat("friday ", 100): "A date must have at most 200 characters; this text has 700.",
	} {
		d, err := due.Parse(in, now(t))
		got := d.String()
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "unclear: ")
		}
		require.Equal(t, want, got, in)
	}
}

func TestParse_TextLeft_IsUnclear(t *testing.T) {
	for _, in := range []string{
		"friday or saturday", "monday to friday", "from monday", "after friday", "3pm to 5pm", "tomorrow 3-5pm", "soon",
		"in january", "mid december", "later this week", "2 days", "tomorrow 2030", "9h", "friday the 13th", "tomorrow utc",
	} {
		d, err := due.Parse(in, now(t))
		require.ErrorContains(t, err, "unclear: ", in)
		require.Equal(t, due.Date{}, d, in)
	}
}

func TestFind_Sentence_IsCertainOrUnclear(t *testing.T) {
	for in, want := range map[string]string{
		"book the 6pm train":                     "",
		"book the 6pm train for friday":          "Fri 27 Nov 2026",
		`call bob "next friday" tomorrow`:        "Thu 26 Nov 2026",
		"remind me tomorrow to call ann":         "Thu 26 Nov 2026",
		"finish chapter 8 tomorrow":              "Thu 26 Nov 2026",
		"call a week from friday":                "Fri 4 Dec 2026",
		"review notes from last friday":          "",
		"meeting last friday":                    "unclear",
		"buy milk tomorrow and call bob friday":  "unclear",
		"call mom tomorrow after lunch":          "unclear",
		"walk tomorrow for 2 hours":              "unclear",
		"lunch tomorrow at 12-13":                "unclear",
		"lunch tomorrow 10:00z":                  "Thu 26 Nov 2026, 11:00",
		"lunch tomorrow at 10:00+05:30":          "Thu 26 Nov 2026, 05:30",
		"read John 3:16 tomorrow":                "Thu 26 Nov 2026",
		"meet John 3:16 tomorrow":                "Thu 26 Nov 2026, 15:16",
		"call ann friday 5":                      "unclear",
		"call ann friday 5 times":                "",
		"dentist 3/4 at 9":                       "unclear",
		"dentist 12/25 at 9":                     "Fri 25 Dec 2026, 09:00",
		"9am 12/25 dentist":                      "Fri 25 Dec 2026, 09:00",
		"gift 12/25":                             "Fri 25 Dec 2026",
		"answer support 24/7":                    "",
		"buy a 3/16 bolt tomorrow":               "Thu 26 Nov 2026",
		"watch Friday Night Lights":              "",
		"watch Friday Night Lights tomorrow":     "Thu 26 Nov 2026",
		"buy tickets for Saturday Night Fever":   "",
		"read The 5am Club by sunday":            "Sun 29 Nov 2026",
		"dentist on wensday at 2pm":              "unclear", //nolint:misspell // a typing error
		"dentist thurdsay":                       "unclear", //nolint:misspell // a typing error
		"buy a sundae tomorrow":                  "Thu 26 Nov 2026",
		"gym 6:30 tomorrow morning":              "Thu 26 Nov 2026, 06:30",
		"gym 6:30 tomorrow evening":              "Thu 26 Nov 2026, 18:30",
		"gym 18:30 tomorrow morning":             "unclear",
		"file taxes by Apr. 15":                  "Thu 15 Apr 2027",
		"dentist wed. at 3":                      "Wed 2 Dec 2026, 15:00",
		"call mom friday. at 3 she leaves":       "",
		"xmas shopping before christmas":         "Fri 25 Dec 2026",
		"buy christmas lights tomorrow":          "Thu 26 Nov 2026",
		"meeting with omar mon 10:30-11":         "Mon 30 Nov 2026, 10:30",
		"sync tomorrow 11-1pm":                   "Thu 26 Nov 2026, 11:00",
		"sync tomorrow 3-5pm":                    "Thu 26 Nov 2026, 15:00",
		"lunch a week tomorrow":                  "Thu 3 Dec 2026",
		"lunch next week on friday at 3pm":       "Fri 4 Dec 2026, 15:00",
		"email bob in 90m":                       "Wed 25 Nov 2026, 13:05",
		"meet at half 5":                         "Wed 25 Nov 2026, 17:30",
		"meet tomorrow at five":                  "Thu 26 Nov 2026, 17:00",
		"meet 3ish tomorrow":                     "Thu 26 Nov 2026, 15:00",
		"call mom in the morning":                "Thu 26 Nov 2026, 09:00",
		"walk in the morning dew":                "",
		"finish it no later than friday":         "Fri 27 Nov 2026",
		"finish it by friday at the latest":      "Fri 27 Nov 2026",
		"ship it by close of play friday":        "Fri 27 Nov 2026",
		"dinner friday at 8 or 9":                "unclear",
		"dinner saturday 7ish":                   "unclear",
		"dinner saturday 7ish in the evening":    "Sat 28 Nov 2026, 19:00",
		"submit form within 3 days of friday":    "unclear",
		"prepare the friday meeting by thursday": "Thu 26 Nov 2026",
	} {
		m, ok := due.Find(text.Tokenize(in).Keys(), now(t))
		got := m.Due.String()
		if ok && m.Unclear != "" {
			require.Empty(t, got)
			got = "unclear"
		}
		require.Equal(t, want, got, in)
	}
}

func TestShift_TimedAndUntimed_MovesDate(t *testing.T) {
	at := time.Date(2026, 12, 1, 15, 0, 0, 0, now(t).Location())
	for in, want := range map[string][2]string{
		"push by two days":    {"Thu 3 Dec 2026, 15:00", "Thu 3 Dec 2026"},
		"an hour later":       {"Tue 1 Dec 2026, 16:00", ""},
		"an hour earlier":     {"Tue 1 Dec 2026, 14:00", ""},
		"to Friday":           {"Fri 27 Nov 2026, 15:00", "Fri 27 Nov 2026"},
		"to friday at 5":      {"Fri 27 Nov 2026, 17:00", "Fri 27 Nov 2026, 17:00"},
		"to 5pm":              {"Tue 1 Dec 2026, 17:00", "Tue 1 Dec 2026, 17:00"},
		"bring forward a day": {"Mon 30 Nov 2026, 15:00", "Mon 30 Nov 2026"},
		"-1 day":              {"Mon 30 Nov 2026, 15:00", "Mon 30 Nov 2026"},
		"another week":        {"Tue 8 Dec 2026, 15:00", "Tue 8 Dec 2026"},
		"move forward a day":  {"", ""},
		"earlier":             {"", ""},
	} {
		timed, _ := due.Shift(in, due.Of("", &at, now(t).Location()), now(t))
		untimed, _ := due.Shift(in, due.Of("2026-12-01", nil, now(t).Location()), now(t))
		require.Equal(t, want, [2]string{timed.String(), untimed.String()}, in)
	}
}

// TestParse_EveryZone_KeepsWallClockOrIsUnclear parses each half hour of the days on which the clocks of a zone change.
func TestParse_EveryZone_KeepsWallClockOrIsUnclear(t *testing.T) {
	zones := zoneNames(t)
	require.Greater(t, len(zones), 300)
	skipped := 0
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		base := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
		for day := base; day.Year() == 2026; day = day.AddDate(0, 0, 1) {
			_, before := day.Zone()
			if _, after := day.AddDate(0, 0, 1).Zone(); before == after {
				continue
			}
			for half := range 48 {
				wall := fmt.Sprintf("%s %02d:%02d", day.Format(time.DateOnly), half/2, half%2*30)
				d, err := due.Parse(wall, due.At(base, time.Monday))
				if err != nil {
					require.ErrorContains(t, err, "the clocks skip", "%s %s", name, wall)
					skipped++
					continue
				}
				require.Equal(t, wall, d.At.Format("2006-01-02 15:04"), name)
				if earlier := d.At.Add(-time.Hour); earlier.Format("2006-01-02 15:04") == wall {
					t.Fatalf("%s %s is the second of two times", name, wall)
				}
			}
		}
	}
	require.Positive(t, skipped)
}

// zoneNames returns the names of Go's copy of the zone database.
func zoneNames(t *testing.T) []string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	require.NoError(t, err)
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		if strings.Contains(f.Name, "/") && !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}

var pieces = strings.Fields(
	"in a an the of on at by due next last this end month week day hour friday sat jan feb 0 5 15th 31 2027 9999 " +
		"1630 17h 2027-02-30 1/2 3/4/27 17:00 25:61 5pm p.m. noon midnight tonight tomorrow half past quarter " +
		"to , : @ few after " +
		"every before from until " +
		"and or utc cst +02:00 eod christmas first third 1h30m 2w buy milk the train h m ( )",
)

// TestFind_AnyWords_LeavesNoDateLikeWords checks the invariant of certain dates.
func TestFind_AnyWords_LeavesNoDateLikeWords(t *testing.T) {
	base := now(t)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 9).Draw(t, "words")
		m, ok := due.Find(words, base)
		if !ok || m.Unclear != "" {
			return
		}
		left := slices.Concat(words[:m.Start], []string{"|"}, words[m.End:])
		require.False(t, certainlyDate(left), "%v beside %s", left, m.Due)
	})
}

var certainDate = regexp.MustCompile(
	`(^| )(tomorrow|today|tonight|yesterday|eod|(mon|tues|wednes|thurs|fri|satur)days?|` +
		`\d{1,2}:\d\d(:\d\d)?([ap]m)?|\d{1,2}[ap]m|\d{1,2} ?[ap]m|noon|midnight|\d{4}-\d\d-\d\d|` +
		`(in|within) (\d+|an?|two|three) (minute|hour|day|week|month|year)s?|` +
		`(next|this|last) (week|month|year|weekend))( |$)`,
)

// certainlyDate is an independent and narrower test for words of dates. Words after an article describe a thing.
func certainlyDate(left []string) bool {
	said := make([]string, len(left))
	for i, w := range left {
		if i > 0 && slices.Contains([]string{"the", "a", "an", "my"}, left[i-1]) {
			w = "thing"
		}
		said[i] = w
	}
	return certainDate.MatchString(strings.Join(said, " "))
}

// BenchmarkFind_LongText has texts that are expensive to parse. The time per word must not depend on the length.
func BenchmarkFind_LongText(b *testing.B) {
	base := now(b)
	for _, part := range []string{"the 6pm train ", "3 days and ", "a week from ", "half ", "5 ", "every "} {
		for _, n := range []int{1_000, 8_000} {
			words := text.Tokenize(strings.Repeat(part, n/len(part))).Keys()
			b.Run(fmt.Sprintf("%s/%d", strings.TrimSpace(part), n), func(b *testing.B) {
				for b.Loop() {
					due.Find(words, base)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(words)), "ns/word")
			})
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Fri 4 Dec at 10")
	f.Add(strings.Repeat("a week from ", 12))
	base := now(f)
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := due.Parse(s, base); err == nil {
			require.NotEmpty(t, d.String())
		}
		_, _ = due.Shift(s, due.Of("2026-12-01", nil, base.Location()), base)
		due.Find(text.Tokenize(text.Clean(s)).Keys(), base)
	})
}
