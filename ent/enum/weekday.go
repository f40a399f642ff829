package enum

import (
	"io"
	"strings"
	"time"
)

// Weekday is a day of the week.
type Weekday string

// Days of the week.
const (
	Monday    Weekday = "MONDAY"
	Tuesday   Weekday = "TUESDAY"
	Wednesday Weekday = "WEDNESDAY"
	Thursday  Weekday = "THURSDAY"
	Friday    Weekday = "FRIDAY"
	Saturday  Weekday = "SATURDAY"
	Sunday    Weekday = "SUNDAY"
)

// Values returns all names, for gqlgen and Ent.
func (Weekday) Values() []string {
	return values(Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday)
}

// MarshalGQL implements graphql.Marshaler.
func (v Weekday) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *Weekday) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Time returns the day as a time.Weekday. Unknown names are Monday.
func (v Weekday) Time() time.Weekday {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(day.String(), string(v)) {
			return day
		}
	}
	return time.Monday
}
