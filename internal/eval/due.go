package eval

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A due expression is a day and optionally a time: "+1 17:00". The day is one of
//
//	none               not due
//	+1  -3             days from today
//	+1w  +1mo  +1y     weeks, months or years from today
//	fri  fri+7         the next Friday, days after it; on a Friday both today and the next one are accepted
//	dom15  md1224      the next 15th, the next 24 December; on that day both are accepted
//	eom  eonm  1nm     the last day of this and of the next month, the first of the next month
//	3frinm             the third Friday of the next month
//	2031-01-01         a date
//	now+60             minutes from now, and no time follows
//
// The time is HH:MM, or * for any time or none. Without a time, a due date without a time is required. An expression
// may also be an instant of RFC 3339.
type dueDate struct {
	date string
	at   *time.Time
	// anyTime accepts the date with any time of day.
	anyTime bool
}

// instantTolerance is the accepted difference of instants, because a conversation takes time.
const instantTolerance = 3 * time.Minute

func (d dueDate) matches(got State, zone *time.Location) bool {
	switch {
	case d.anyTime && got.DueAt != nil:
		return got.DueAt.In(zone).Format(time.DateOnly) == d.date
	case d.at != nil:
		return got.DueAt != nil && got.DueAt.Sub(*d.at).Abs() < instantTolerance
	}
	return got.DueAt == nil && got.DueOn == d.date
}

// dueDates returns the due dates that an expression may mean, the usual one first.
func dueDates(expression string, now time.Time) ([]dueDate, error) {
	if at, err := time.Parse(time.RFC3339, expression); err == nil {
		return []dueDate{{at: &at}}, nil
	}
	if minutes, err := strconv.Atoi(strings.TrimPrefix(expression, "now+")); err == nil &&
		strings.HasPrefix(expression, "now+") {
		at := now.Add(time.Duration(minutes) * time.Minute)
		return []dueDate{{at: &at}}, nil
	}
	word, clock, timed := strings.Cut(expression, " ")
	days, err := dueDays(word, now)
	if err != nil {
		return nil, err
	}
	var all []dueDate
	for _, day := range days {
		d := dueDate{date: day.Format(time.DateOnly), anyTime: clock == "*"}
		if timed && !d.anyTime {
			at, err := time.ParseInLocation(time.DateOnly+" 15:04", d.date+" "+clock, now.Location())
			if err != nil {
				return nil, fmt.Errorf("due expression %q: %w", expression, err)
			}
			d.at = &at
		}
		all = append(all, d)
	}
	return all, nil
}

var dayPattern = regexp.MustCompile(`^(?:([+-]\d+)(w|mo|y)?|(sun|mon|tue|wed|thu|fri|sat)(?:\+(\d+))?|dom(\d{1,2})|` +
	`md(\d\d)(\d\d)|(eom|eonm|1nm)|(\d{4}-\d\d-\d\d)|([1-4])(sun|mon|tue|wed|thu|fri|sat)nm)$`)

var weekdays = map[string]time.Weekday{
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday,
}

// dueDays returns the days that the first word of a due expression may mean.
func dueDays(word string, now time.Time) ([]time.Time, error) {
	m := dayPattern.FindStringSubmatch(word)
	if m == nil {
		return nil, fmt.Errorf("unknown due expression %q", word)
	}
	number := func(group int) int {
		n, _ := strconv.Atoi(m[group])
		return n
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch {
	case m[1] != "":
		return []time.Time{shift(today, number(1), m[2])}, nil
	case m[3] != "":
		extra := number(4)
		return nextMatch(today, func(day time.Time) bool { return day.Weekday() == weekdays[m[3]] }, extra), nil
	case m[5] != "":
		return nextMatch(today, func(day time.Time) bool { return day.Day() == number(5) }, 0), nil
	case m[6] != "":
		month, dayOfMonth := time.Month(number(6)), number(7)
		return nextMatch(today, func(day time.Time) bool {
			return day.Month() == month && day.Day() == dayOfMonth
		}, 0), nil
	case m[8] == "eom":
		return []time.Time{firstOfMonth(today, 1).AddDate(0, 0, -1)}, nil
	case m[8] == "eonm":
		return []time.Time{firstOfMonth(today, 2).AddDate(0, 0, -1)}, nil
	case m[8] == "1nm":
		return []time.Time{firstOfMonth(today, 1)}, nil
	case m[10] != "":
		first := firstOfMonth(today, 1)
		days := (int(weekdays[m[11]]-first.Weekday())+7)%7 + 7*(number(10)-1)
		return []time.Time{first.AddDate(0, 0, days)}, nil
	}
	day, err := time.Parse(time.DateOnly, m[9])
	return []time.Time{day}, err
}

func firstOfMonth(day time.Time, months int) time.Time {
	return time.Date(day.Year(), day.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
}

// shift moves a day. A month later is at most the last day of that month.
func shift(day time.Time, n int, unit string) time.Time {
	switch unit {
	case "w":
		return day.AddDate(0, 0, 7*n)
	case "y":
		n *= 12
	case "mo":
	default:
		return day.AddDate(0, 0, n)
	}
	last := firstOfMonth(day, n+1).AddDate(0, 0, -1)
	return time.Date(last.Year(), last.Month(), min(day.Day(), last.Day()), 0, 0, 0, 0, time.UTC)
}

// nextMatch returns the first day after today that matches, and today if it does, each with extra days added.
func nextMatch(today time.Time, matches func(time.Time) bool, extra int) []time.Time {
	const fourYears = 1461
	for n := 1; n <= fourYears; n++ {
		day := today.AddDate(0, 0, n)
		if !matches(day) {
			continue
		}
		days := []time.Time{day.AddDate(0, 0, extra)}
		if matches(today) {
			days = append(days, today.AddDate(0, 0, extra))
		}
		return days
	}
	return nil
}

func checkDue(expression string) error {
	if expression == "none" {
		return nil
	}
	days, err := dueDates(expression, time.Now())
	if err == nil && len(days) == 0 {
		err = fmt.Errorf("due expression %q: there is no such day", expression)
	}
	return err
}

// matchesDue reports whether a task is due as one of the expressions states.
func matchesDue(expressions []string, got State, now time.Time) bool {
	for _, expression := range expressions {
		if expression == "none" {
			if got.DueOn == "" && got.DueAt == nil {
				return true
			}
			continue
		}
		days, _ := dueDates(expression, now)
		for _, d := range days {
			if d.matches(got, now.Location()) {
				return true
			}
		}
	}
	return false
}

// localNow returns the time in the zone of the case. Without one, it is between 9:30 and 10:30 there.
func (c Case) localNow(now time.Time) (time.Time, error) {
	name := c.Zone
	if name == "" {
		const wanted = 10 * 60
		utc := now.UTC()
		minutes := utc.Hour()*60 + utc.Minute()
		hours := (wanted - minutes + 24*60 + 30) / 60 % 24
		// Etc/GMT-3 is three hours ahead of UTC.
		name = fmt.Sprintf("Etc/GMT-%d", hours)
		if hours > 12 {
			name = fmt.Sprintf("Etc/GMT+%d", 24-hours)
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return now, err
	}
	return now.In(zone), nil
}

// state returns the task to create before the conversation.
func (t Task) state(now time.Time) State {
	s := State{Title: t.Title, Description: t.Description, Completed: t.Done}
	if t.Labels != nil {
		s.Labels = *t.Labels
	}
	if len(t.Priority) > 0 {
		s.Priority = t.Priority[0]
	}
	if len(t.Due) > 0 && t.Due[0] != "none" {
		days, _ := dueDates(t.Due[0], now)
		s.DueOn, s.DueAt = days[0].date, days[0].at
		if s.DueAt != nil {
			s.DueOn = ""
		}
	}
	return s
}
