package eval

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testNow is a Sunday.
var testNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("Etc/GMT-2", 2*60*60))

func TestDueDates_Days_Resolved(t *testing.T) {
	for expression, want := range map[string][]string{
		"+0":         {"2026-11-22"},
		"-3":         {"2026-11-19"},
		"+2w":        {"2026-12-06"},
		"+3mo":       {"2027-02-22"},
		"+1y":        {"2027-11-22"},
		"fri":        {"2026-11-27"},
		"fri+7":      {"2026-12-04"},
		"sun":        {"2026-11-29", "2026-11-22"},
		"dom15":      {"2026-12-15"},
		"dom31":      {"2026-12-31"},
		"md1224":     {"2026-12-24"},
		"md0229":     {"2028-02-29"},
		"eom":        {"2026-11-30"},
		"eonm":       {"2026-12-31"},
		"1nm":        {"2026-12-01"},
		"3frinm":     {"2026-12-18"},
		"1tuenm":     {"2026-12-01"},
		"2031-01-01": {"2031-01-01"},
	} {
		days, err := dueDates(expression, testNow)
		require.NoError(t, err, expression)
		var got []string
		for _, d := range days {
			got = append(got, d.date)
		}
		require.Equal(t, want, got, expression)
	}
	require.Equal(t, "2027-02-28", shift(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), 3, "mo").Format(time.DateOnly))
	for _, bad := range []string{"", "soon", "fri 9", "+1 9pm", "md1340", "5frinm", "2031-13-01"} {
		require.Error(t, checkDue(bad), bad)
	}
}

func TestMatchesDue_Times_AreCompared(t *testing.T) {
	at := func(text string) State {
		instant, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return State{DueAt: &instant}
	}
	for _, test := range []struct {
		expression string
		got        State
		want       bool
	}{
		{"none", State{}, true},
		{"none", State{DueOn: "2026-11-23"}, false},
		{"+1", State{DueOn: "2026-11-23"}, true},
		{"+1", at("2026-11-23T09:00:00+02:00"), false},
		{"+1 09:00", at("2026-11-23T09:00:00+02:00"), true},
		{"+1 09:00", at("2026-11-23T09:00:00Z"), false},
		{"+1 09:00", State{DueOn: "2026-11-23"}, false},
		{"+1 *", at("2026-11-22T22:30:00Z"), true},
		{"+1 *", State{DueOn: "2026-11-23"}, true},
		{"+1 *", State{DueOn: "2026-11-24"}, false},
		{"now+60", at("2026-11-22T09:01:00Z"), true},
		{"now+60", at("2026-11-22T09:05:00Z"), false},
		{"2026-12-01T17:00:00-08:00", at("2026-12-02T01:00:00Z"), true},
	} {
		require.Equal(t, test.want, matchesDue([]string{"-9", test.expression}, test.got, testNow), "%+v", test)
	}
}

func TestLocalNow_EachHour_IsAboutTen(t *testing.T) {
	for minutes := 0; minutes < 24*60; minutes += 7 {
		now, err := Case{}.localNow(time.Date(2026, 11, 22, 0, minutes, 0, 0, time.UTC))
		require.NoError(t, err)
		since := now.Hour()*60 + now.Minute()
		require.True(t, since >= 9*60+30 && since <= 10*60+30, "%s", now)
	}
	now, err := Case{Zone: "Asia/Tokyo"}.localNow(testNow)
	require.NoError(t, err)
	require.Equal(t, 17, now.Hour())
}
