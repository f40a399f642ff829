package limits

import "errand/internal/apperr"

// ExceededError is the error for a document that exceeds a limit. It unwraps to an *apperr.Error with the code
// COMPLEXITY_LIMIT_EXCEEDED.
type ExceededError struct {
	// Limit is the name of the limit as it appears in Limits, in lower camel case.
	Limit string
	// Max is the limit's value.
	Max int
	// Actual is the document's value.
	Actual int
	unit   string
}

// Error names the limit, its value and the actual value.
func (e *ExceededError) Error() string { return e.appError().Message }

// Unwrap returns the *apperr.Error for clients.
func (e *ExceededError) Unwrap() error { return e.appError() }

// Extensions returns the machine-readable details beside the error code.
func (e *ExceededError) Extensions() map[string]any {
	return map[string]any{"limit": e.Limit, "max": e.Max, "actual": e.Actual}
}

func (e *ExceededError) appError() *apperr.Error {
	return apperr.New(
		apperr.ComplexityLimit,
		"The document has %d %s; the limit %q is %d.",
		e.Actual,
		e.unit,
		e.Limit,
		e.Max,
	)
}

// exceeded returns an ExceededError when actual is over the limit, which is disabled when negative.
func exceeded(limit string, limitValue, actual int, unit string) *ExceededError {
	if limitValue < 0 || actual <= limitValue {
		return nil
	}
	return &ExceededError{Limit: limit, Max: limitValue, Actual: actual, unit: unit}
}
