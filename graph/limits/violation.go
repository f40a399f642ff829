package limits

import "errand/internal/apperr"

// Violation says which limit a document broke. It unwraps to an *apperr.Error with the
// code COMPLEXITY_LIMIT_EXCEEDED.
type Violation struct {
	// Limit is the name of the limit as it appears in Limits, in lower camel case.
	Limit string
	// Max is the limit's value.
	Max int
	// Actual is what the document has.
	Actual int
	// what the count counts, in words.
	what string
}

// Error says the limit, its value and the actual count.
func (v *Violation) Error() string { return v.app().Message }

// Unwrap gives the presentable error to errors.As.
func (v *Violation) Unwrap() error { return v.app() }

// Extensions are the machine-readable details beside the error code.
func (v *Violation) Extensions() map[string]any {
	return map[string]any{"limit": v.Limit, "max": v.Max, "actual": v.Actual}
}

func (v *Violation) app() *apperr.Error {
	return apperr.New(apperr.ComplexityLimit, "The document has %d %s; the limit %q is %d.", v.Actual, v.what, v.Limit, v.Max)
}

// exceeded returns a Violation when actual is over the limit; a negative limit is off.
func exceeded(limit string, limitValue, actual int, what string) *Violation {
	if limitValue < 0 || actual <= limitValue {
		return nil
	}
	return &Violation{Limit: limit, Max: limitValue, Actual: actual, what: what}
}
