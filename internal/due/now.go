package due

import "time"

// Now is the time that words such as "tomorrow" refer to, in the user's zone, with the first day of the user's week.
// The zero value is the zero time in weeks that start on Monday.
type Now struct {
	time.Time
	// afterMonday is the number of days from Monday to the first day of the week.
	afterMonday int
}

// At returns t as the current time of a user whose weeks start on weekStart.
func At(t time.Time, weekStart time.Weekday) Now {
	return Now{Time: t, afterMonday: daysBetween(time.Monday, weekStart)}
}

// WeekStart returns the first day of the user's weeks.
func (n Now) WeekStart() time.Weekday { return time.Weekday((n.afterMonday + 1) % 7) }

// daysBetween returns the number of days from one weekday to the next occurrence of another, 0 to 6.
func daysBetween(from, to time.Weekday) int { return (int(to-from) + 7) % 7 }

// startOfWeek returns the first day of the user's week that is a number of weeks after the current one.
func (p parser) startOfWeek(weeks int) time.Time {
	first := time.Weekday((int(time.Monday) + p.now.afterMonday) % 7)
	return p.today().AddDate(0, 0, 7*weeks-daysBetween(first, p.today().Weekday()))
}

// monday returns the Monday that precedes a weekend: of the current calendar week, or of one a number of weeks later.
// Weekends are Saturday and Sunday wherever the user's week starts.
func (p parser) monday(weeks int) time.Time {
	return p.today().AddDate(0, 0, 7*weeks-daysBetween(time.Monday, p.today().Weekday()))
}
