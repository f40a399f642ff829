package enum

import "time"

// MessageError is the reason of a reply's failure.
type MessageError struct {
	// Code is one of the codes of package apperr.
	Code string
	// Message explains the code, or the exact reason where it is stored, and may be displayed.
	Message string
	// RetryAt is the earliest time at which a retry may succeed; nil if unknown.
	RetryAt *time.Time
}

// messageErrorTexts explains the codes that a run can fail with.
var messageErrorTexts = map[string]string{
	"RATE_LIMITED":              "The model is overloaded, or a token limit is reached. Try again later.",
	"SERVICE_UNAVAILABLE":       "The model could not be reached. Try again later.",
	"COMPLEXITY_LIMIT_EXCEEDED": "The turn exceeded its limit of steps, tokens or time. Try a smaller request.",
	"BAD_USER_INPUT":            "The model rejected the message.",
}

// messageReasonTexts explains the stored reasons, which are those of package llm. Texts name what an operator of the
// server must correct, because a retry does not help.
var messageReasonTexts = map[string]string{
	"web_page":        "The model's address answers with a web page. The server's settings must be corrected.",
	"not_an_api":      "The model's address answers, but not as a model does. The server's settings must be corrected.",
	"redirect":        "The model's address leads to another one. The server's settings must be corrected.",
	"path_not_found":  "There is no model at the path of the model's address. The server's settings must be corrected.",
	"model_not_found": "The model's provider does not have the configured model. The server's settings must be corrected.",
	"tools_rejected":  "The configured model cannot use tools. The server must use another model.",
	"key_rejected":    "The model's provider does not accept the server's key. The server's settings must be corrected.",
	"no_credit":       "The server's account with the model's provider has no credit or quota left.",
	"rate_limit":      "The model's provider is limiting requests. Try again later.",
	"overloaded":      "The model is overloaded. Try again later.",
	"context_length":  "The conversation is too long for the model. Send less text, or start a new conversation.",
	"too_large":       "The request is too large for the model's provider. Send less text, or start a new conversation.",
	"content_filter":  "The model's provider withheld the answer because of its content rules. Use other words.",
	"token_limit":     "The model's answer did not fit its token limit. Ask for less at once.",
	"empty_answer":    "The model returned an empty answer. Try again, or use other words.",
	"malformed_call":  "The model called a tool in a form that cannot be read. Try again, or use other words.",
	"tls":             "No trusted connection to the model's address is possible. Its settings must be corrected.",
	"http_on_https": "The model's address begins with http or https where the other is right. The server's settings " +
		"must be corrected.",
	"unknown_host": "The host of the model's address is unknown. The server's settings must be corrected.",
	"refused":      "Nothing answers at the model's address. Try again later.",
	"timeout":      "The model took too long to answer. Try again later.",
	"cut_off":      "The model's answer broke off. Try again.",
	"bad_request":  "The model's provider rejected the request. The server's log names the reason.",
}

// NewMessageError returns the error for a stored code and, if it is known, reason. Codes and reasons without a text of
// their own get a generic one.
func NewMessageError(code string, reason *string) *MessageError {
	if reason != nil {
		if text, ok := messageReasonTexts[*reason]; ok {
			return &MessageError{Code: code, Message: text}
		}
	}
	text, ok := messageErrorTexts[code]
	if !ok {
		text = "An internal error occurred while the reply was written."
	}
	return &MessageError{Code: code, Message: text}
}
