package due_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"errand/internal/due"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// now is a Wednesday morning.
func now(t testing.TB) due.Now { return weeksFrom(t, time.Monday) }

func weeksFrom(t testing.TB, weekStart time.Weekday) due.Now {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return due.At(time.Date(2026, 11, 25, 11, 35, 0, 0, berlin), weekStart)
}

// parse returns the result of due.Parse: a day, an instant or the reason why it is unclear.
func parse(in string, now due.Now) string {
	d, err := due.Parse(in, now)
	return show(d, err)
}

func show(d due.Date, err error) string {
	var problem *due.UnclearError
	switch {
	case errors.As(err, &problem):
		return problem.Reason
	case d.Timed:
		return d.At.Format(time.RFC3339)
	}
	return d.On()
}

func TestParse_WholePhrase_ReturnsDate(t *testing.T) {
	for in, want := range map[string]string{
		"today":                        "2026-11-25",
		"tomorrow":                     "2026-11-26",
		"tomorrow at 5pm":              "2026-11-26T17:00:00+01:00",
		"5pm tomorrow":                 "2026-11-26T17:00:00+01:00",
		"tomorrow at 5":                "2026-11-26T17:00:00+01:00",
		"tomorrow at 9":                "2026-11-26T09:00:00+01:00",
		"tomorrow morning":             "2026-11-26T09:00:00+01:00",
		"tomorrow morning at 6":        "2026-11-26T06:00:00+01:00",
		"tomorrow at 6 in the morning": "2026-11-26T06:00:00+01:00",
		"tonight":                      "2026-11-25T20:00:00+01:00",
		"tonight at 9":                 "2026-11-25T21:00:00+01:00",
		"tonight at 11:30":             "2026-11-25T23:30:00+01:00",
		"tonight at 12":                "2026-11-26T00:00:00+01:00",
		"this morning":                 "2026-11-25",
		"at noon":                      "2026-11-25T12:00:00+01:00",
		"noon":                         "2026-11-25T12:00:00+01:00",
		"at midnight":                  "2026-11-26T00:00:00+01:00",
		"at 10am":                      "2026-11-26T10:00:00+01:00",
		"at 12am":                      "2026-11-26T00:00:00+01:00",
		"at 12:30 am":                  "2026-11-26T00:30:00+01:00",
		"at 5 p.m.":                    "2026-11-25T17:00:00+01:00",
		"at 17:30":                     "2026-11-25T17:30:00+01:00",
		"at 5.30pm":                    "2026-11-25T17:30:00+01:00",
		"at 5 oclock":                  "2026-11-25T17:00:00+01:00",
		"half past 5":                  "2026-11-25T17:30:00+01:00",
		"at quarter to 6":              "2026-11-25T17:45:00+01:00",
		"friday":                       "2026-11-27",
		"next friday":                  "2026-11-27",
		"next friday at noon":          "2026-11-27T12:00:00+01:00",
		"friday , at 14:00":            "2026-11-27T14:00:00+01:00",
		"wednesday":                    "2026-12-02",
		"this wednesday":               "2026-11-25",
		"this monday":                  "2026-11-30",
		"on tues":                      "2026-12-01",
		"monday next week":             "2026-11-30",
		"friday next week":             "2026-12-04",
		"by the coming sunday":         "2026-11-29",
		"in 3 days":                    "2026-11-28",
		"in two weeks":                 "2026-12-09",
		"in a week at 8:15":            "2026-12-02T08:15:00+01:00",
		"2 days from now":              "2026-11-27",
		"in 20 minutes":                "2026-11-25T11:55:00+01:00",
		"in an hour":                   "2026-11-25T12:35:00+01:00",
		"in half an hour":              "2026-11-25T12:05:00+01:00",
		"in a couple of days":          "2026-11-27",
		"in 2 months":                  "2027-01-25",
		"in 3 months":                  "2027-02-25",
		"in 1 year":                    "2027-11-25",
		"on 2027-01-15":                "2027-01-15",
		"2027-01-15 17:00":             "2027-01-15T17:00:00+01:00",
		"2027-07-15t17:00":             "2027-07-15T17:00:00+02:00",
		"on 15/1/2027":                 "2027-01-15",
		"15.1.2027":                    "2027-01-15",
		"on 1/15":                      "2027-01-15",
		"jan 15":                       "2027-01-15",
		"january 15th at 9am":          "2027-01-15T09:00:00+01:00",
		"the 15th of january":          "2027-01-15",
		"15 january 2028":              "2028-01-15",
		"jan 15 , 2028":                "2028-01-15",
		"the first of may":             "2027-05-01",
		"december 24":                  "2026-12-24",
		"on the 15th":                  "2026-12-15",
		"on the 31st":                  "2026-12-31",
		"feb 29":                       "2028-02-29",
		"end of month":                 "2026-11-30",
		"by the end of the month":      "2026-11-30",
		"by the end of next month":     "2026-12-31",
		"end of the week":              "2026-11-29",
		"end of january":               "2027-01-31",
		"eod":                          "2026-11-25",
		"next week":                    "2026-11-30",
		"next month":                   "2026-12-01",
		"this weekend":                 "2026-11-28",
		"the day after tomorrow":       "2026-11-27",
		"due by : friday":              "2026-11-27",
		"due date of friday":           "2026-11-27",
		"deadline : friday":            "2026-11-27",
		"feb 30":                       "There is no 30 February.",
		"2027-02-30":                   "There is no 30 February 2027.",
		"2027-13-01":                   "There is no month 13.",
		"april 31 2027":                "There is no 31 April 2027.",
		"on 31.4.2027":                 "There is no 31 April 2027.",
		"on 3/4/2027": "I cannot tell the day from the month in 3/4/2027. Please write the date like " +
			"2027-01-31.",
		"tomorrow at 25:00": "There is no time 25:00.",
		"at 13pm":           "There is no time 13pm.",
		"in 999999 weeks":   "That date is too far away.",
		"in 99999 years":    "That date is too far away.",
	} {
		require.Equal(t, want, parse(in, now(t)), in)
	}
}

func TestParse_OtherWords_NoMatch(t *testing.T) {
	for _, in := range []string{
		"", "high", "call mom tonight", "5", "march", "may", "sunshine", "in the garden", "1/2",
		"at home", "the",
	} {
		_, err := due.Parse(in, now(t))
		require.Error(t, err, in)
	}
}

func TestFind_Sentence_ReturnsConsumedWords(t *testing.T) {
	for in, want := range map[string]string{
		"buy milk tomorrow at the store":   "tomorrow",
		"call bob by friday about lunch":   "by friday",
		"call bob friday":                  "friday",
		"call bob fri at 5":                "fri at 5",
		"meet ann at 5 to talk":            "at 5",
		"meet ann at 5pm on 2027-01-15":    "at 5pm on 2027-01-15",
		"send the report due next tuesday": "due next tuesday",
		"tomorrow at 5 to call mom":        "tomorrow at 5",
		"pay rent on the 1st":              "on the 1st",
		"buy milk in 3 days please":        "in 3 days",
		"meet bob at 5 tomorrow":           "at 5 tomorrow",
	} {
		words := strings.Fields(in)
		m, ok := due.Find(words, now(t))
		require.True(t, ok, in)
		require.Equal(t, want, strings.Join(words[m.Start:m.End], " "), in)
	}
}

func TestFind_OrdinaryWords_NoMatch(t *testing.T) {
	for _, in := range []string{
		"buy milk", "plan friday dinner with ann", "read the sunday times again", "meet at 5 main street",
		"buy 1/2 pint of milk", "march to work",
		"buy the morning paper", "the cat sat", "sit in the sun", "ask may about it", "buy 5 apples",
		"watch the second part", "a day of rest", "take 3 days off now ok",
	} {
		m, ok := due.Find(strings.Fields(in), now(t))
		require.False(t, ok, "%s: %+v", in, m)
	}
}

func TestFind_DaylightSavingChange_KeepsWallClock(t *testing.T) {
	base := time.Date(2027, 3, 27, 12, 0, 0, 0, now(t).Location()) // the day before the clocks go forward
	for in, want := range map[string]string{
		"tomorrow at 5pm": "2027-03-28T17:00:00+02:00",
		"in 2 days":       "2027-03-29",
		"next friday":     "2027-04-02",
	} {
		require.Equal(t, want, parse(in, due.At(base, time.Monday)))
	}
}

func TestRangeAt_Phrases_ReturnRange(t *testing.T) {
	for in, want := range map[string]string{
		"today":              "2026-11-25..2026-11-25",
		"this week":          "2026-11-23..2026-11-29",
		"next week":          "2026-11-30..2026-12-06",
		"this weekend":       "2026-11-28..2026-11-29",
		"this month":         "2026-11-01..2026-11-30",
		"by friday":          "..2026-11-27",
		"before next week":   "..2026-12-06",
		"after tomorrow":     "2026-11-27..",
		"in the next 3 days": "2026-11-25..2026-11-28",
		"next two weeks":     "2026-11-25..2026-12-09",
		"on jan 15":          "2027-01-15..2027-01-15",
		"sat":                "2026-11-28..2026-11-28",
	} {
		words := strings.Fields(in)
		r, end, invalid, ok := due.RangeAt(words, 0, now(t))
		require.True(t, ok, in)
		require.Empty(t, invalid)
		require.Equal(t, len(words), end, in)
		require.Equal(t, want, bound(r.From)+".."+bound(r.To), in)
	}
	_, _, _, ok := due.RangeAt([]string{"milk"}, 0, now(t))
	require.False(t, ok)
}

func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func TestRecurring_Phrases_AreFound(t *testing.T) {
	for in, want := range map[string]bool{
		"water plants every day": true, "stand up every monday at 9": true, "pay rent monthly": true,
		"run every 2 days":      true,
		"call mom twice a week": true, "every other tuesday call bob": true, "gym each fridays": true, "daily standup": false,
		"buy every book": false, "read the daily news today": false, "check each item": false, "second wind": false,
	} {
		start, end := due.Recurring(strings.Fields(in))
		require.Equal(t, want, end > start, in)
	}
}

func TestFind_AnyWords_StaysInBounds(t *testing.T) {
	base := now(t)
	vocabulary := strings.Fields(
		"in a an the of on at by due next this end month week day hour friday sat jan feb 0 5 15th 31 2027 9999 " +
			"2027-02-30 1/2 3/4/27 17:00 25:61 5pm p.m. noon midnight tonight tomorrow half past quarter to , : @ @5 few " +
			"couple after every weekend",
	)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 9).Draw(t, "words")
		if m, ok := due.Find(words, base); ok {
			require.Less(t, m.Start, m.End)
			require.LessOrEqual(t, m.End, len(words))
			if m.Unclear == "" {
				_, err := time.Parse(time.DateOnly, m.Due.On())
				require.NoError(t, err)
			}
		}
		for i := range words {
			due.RangeAt(words, i, base)
		}
		due.Recurring(words)
	})
}
