package limits

import "errand/internal/apperr"

// ExceededError says which limit a document broke. It unwraps to an *apperr.Error with the
// code COMPLEXITY_LIMIT_EXCEEDED.
type ExceededError struct {
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
func (v *ExceededError) Error() string { return v.app().Message }

// Unwrap gives the presentable error to errors.As.
func (v *ExceededError) Unwrap() error { return v.app() }

// Extensions are the machine-readable details beside the error code.
func (v *ExceededError) Extensions() map[string]any {
	return map[string]any{"limit": v.Limit, "max": v.Max, "actual": v.Actual}
}

func (v *ExceededError) app() *apperr.Error {
	return apperr.New(
		apperr.ComplexityLimit,
		"The document has %d %s; the limit %q is %d.",
		v.Actual,
		v.what,
		v.Limit,
		v.Max,
	)
}

// exceeded returns an ExceededError when actual is over the limit; a negative limit is off.
func exceeded(limit string, limitValue, actual int, what string) *ExceededError {
	if limitValue < 0 || actual <= limitValue {
		return nil
	}
	return &ExceededError{Limit: limit, Max: limitValue, Actual: actual, what: what}
}
