package enum

import "io"

// Usage is the model usage of a reply, summed over all model calls.
type Usage struct {
	// InputTokens include the CachedTokens.
	InputTokens, OutputTokens, CachedTokens int
	// Cost is in the currency of the server's price list; nil if the list has no price for the model.
	Cost *float64
	// Model is the model as provider/name.
	Model string
}

// Cost converts billionths of a currency unit to that unit.
func Cost(nanos *int64) *float64 {
	if nanos == nil {
		return nil
	}
	cost := float64(*nanos) / 1e9
	return &cost
}

// UsagePeriod is a number of days, ending today (UTC), over which usage is summed.
type UsagePeriod string

// Periods.
const (
	UsageDay   UsagePeriod = "DAY"
	UsageWeek  UsagePeriod = "WEEK"
	UsageMonth UsagePeriod = "MONTH"
)

// Values returns all names, for gqlgen.
func (UsagePeriod) Values() []string { return values(UsageDay, UsageWeek, UsageMonth) }

// MarshalGQL implements graphql.Marshaler.
func (v UsagePeriod) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *UsagePeriod) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Days returns the length of the period: 1, 7 or 30.
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
