package enum

import "time"

// MessageError says why a reply failed.
type MessageError struct {
	// Code is one of apperr's codes.
	Code string
	// Message is the same in words that may be shown.
	Message string
	// RetryAt is when the same may succeed; nil when that is not known.
	RetryAt *time.Time
}

// Usage is what a reply cost, over all its steps.
type Usage struct {
	InputTokens, OutputTokens, CachedTokens int
	// Cost is in the currency of the server's price list; nil where it has no price.
	Cost *float64
	// Model is the model as provider/name.
	Model string
}

// Cost turns billionths of a currency's unit into that unit.
func Cost(nanos *int64) *float64 {
	if nanos == nil {
		return nil
	}
	cost := float64(*nanos) / 1e9
	return &cost
}

// failures says each code's meaning for a reply in words. The codes are those
// that a run can end with.
var failures = map[string]string{
	"RATE_LIMITED":              "The model is busy, or its tokens are used up. Try again later.",
	"SERVICE_UNAVAILABLE":       "The model could not be reached. Try again later.",
	"COMPLEXITY_LIMIT_EXCEEDED": "The turn took more steps, tokens or time than is allowed. Ask for less at once.",
	"BAD_USER_INPUT":            "The model refused the message.",
}

// NewMessageError describes a stored code.
func NewMessageError(code string) *MessageError {
	text, ok := failures[code]
	if !ok {
		text = "Something went wrong on our side while answering."
	}
	return &MessageError{Code: code, Message: text}
}
