package enum

import "io"

// UsagePeriod is the days over which usage is added up.
type UsagePeriod string

// The values of UsagePeriod.
const (
	// UsageDay means: today.
	UsageDay UsagePeriod = "DAY"
	// UsageWeek means: today and the six days before.
	UsageWeek UsagePeriod = "WEEK"
	// UsageMonth means: today and the 29 days before.
	UsageMonth UsagePeriod = "MONTH"
)

// Values lists the names, for GraphQL.
func (UsagePeriod) Values() []string { return names(UsageDay, UsageWeek, UsageMonth) }

// MarshalGQL writes the name.
func (v UsagePeriod) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *UsagePeriod) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Days is how many days the period has.
func (v UsagePeriod) Days() int {
	switch v {
	case UsageWeek:
		return 7
	case UsageMonth:
		return 30
	default:
		return 1
	}
}
