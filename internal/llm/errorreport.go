package llm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// errorReport is the part of a provider's error body that is kept: codes from a fixed vocabulary, a number, a delay,
// and the reason that its text names. The free text is dropped.
type errorReport struct {
	codes      []string
	text       Reason
	status     int
	retryDelay time.Duration
}

// codeKinds maps the error codes of all providers to kinds.
var codeKinds = map[string]Kind{
	"invalid_api_key":            KindAuth,
	"authentication_error":       KindAuth,
	"permission_error":           KindAuth,
	"billing_error":              KindAuth,
	"billing_not_active":         KindAuth,
	"billing_hard_limit_reached": KindAuth,
	"insufficient_quota":         KindAuth,
	"api_key_invalid":            KindAuth,
	"permission_denied":          KindAuth,
	"unauthenticated":            KindAuth,
	"rate_limit_error":           KindRateLimit,
	"rate_limit_exceeded":        KindRateLimit,
	"resource_exhausted":         KindRateLimit,
	"overloaded_error":           KindOverloaded,
	"overloaded":                 KindOverloaded,
	"server_overloaded":          KindOverloaded,
	"unavailable":                KindOverloaded,
	"invalid_request_error":      KindBadRequest,
	"invalid_argument":           KindBadRequest,
	"not_found_error":            KindBadRequest,
	"not_found":                  KindBadRequest,
	"request_too_large":          KindBadRequest,
	"context_length_exceeded":    KindBadRequest,
	"failed_precondition":        KindBadRequest,
	"model_not_found":            KindBadRequest,
	"unsupported_parameter":      KindBadRequest,
	"unsupported_value":          KindBadRequest,
	"invalid_type":               KindBadRequest,
	"invalid_value":              KindBadRequest,
	"string_above_max_length":    KindBadRequest,
	"content_policy_violation":   KindBadRequest,
	"content_filter":             KindBadRequest,
	"exceed_context_size_error":  KindBadRequest,
	"timeout_error":              KindTimeout,
	"deadline_exceeded":          KindTimeout,
	"api_error":                  KindUnavailable,
	"server_error":               KindUnavailable,
	"internal":                   KindUnavailable,
}

// codeReasons maps the error codes that name a reason to it.
var codeReasons = map[string]Reason{
	"invalid_api_key":            ReasonKeyRejected,
	"authentication_error":       ReasonKeyRejected,
	"api_key_invalid":            ReasonKeyRejected,
	"unauthenticated":            ReasonKeyRejected,
	"insufficient_quota":         ReasonNoCredit,
	"billing_error":              ReasonNoCredit,
	"billing_not_active":         ReasonNoCredit,
	"billing_hard_limit_reached": ReasonNoCredit,
	"context_length_exceeded":    ReasonContextLength,
	"exceed_context_size_error":  ReasonContextLength,
	"string_above_max_length":    ReasonTooLarge,
	"request_too_large":          ReasonTooLarge,
	"model_not_found":            ReasonModelNotFound,
	"content_policy_violation":   ReasonContentFilter,
	"content_filter":             ReasonContentFilter,
}

// errorEnvelope is the envelope of every provider. Error is an object, except on some local servers, where it is a
// string.
type errorEnvelope struct {
	Error json.RawMessage `json:"error"`
}

// errorBody is the union of the providers' error objects.
type errorBody struct {
	Type    string          `json:"type"`
	Code    json.RawMessage `json:"code"`
	Status  string          `json:"status"`
	Details []struct {
		Reason     string `json:"reason"`
		RetryDelay string `json:"retryDelay"`
	} `json:"details"`
}

// parseErrorReport parses the error body of any provider; ok is false if body is not one. Gemini may wrap it in a list.
func parseErrorReport(body []byte) (r errorReport, ok bool) {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var envelope errorEnvelope
	if json.Unmarshal(body, &envelope) != nil {
		return errorReport{}, false
	}
	switch strings.Join(strings.Fields(string(envelope.Error)), "") { // some servers send an empty error with each event
	case "", "null", "false", `""`, "{}", "[]":
		return errorReport{}, false
	}
	r.text = classifyText(envelope.Error)
	var b errorBody
	if json.Unmarshal(envelope.Error, &b) != nil {
		return r, true // an error without structure is still an error
	}
	code := strings.Trim(string(b.Code), `"`)
	r.status, _ = strconv.Atoi(code)
	r.codes = append(r.codes, code, b.Type, b.Status)
	for _, d := range b.Details {
		r.codes = append(r.codes, d.Reason)
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil && delay > 0 {
			r.retryDelay = delay
		}
	}
	return r, true
}

// knownCode returns the first code of the vocabulary, which is the most specific one for every provider, or "". It is
// safe to log.
func (r errorReport) knownCode() string {
	for _, c := range r.codes {
		if c = strings.ToLower(c); codeKinds[c] != "" {
			return c
		}
	}
	return ""
}

// reason returns the reason that the codes or the text name, else "". Limits of a day or an account are told from those
// of a moment, which the text of an error with status 429 names too.
func (r errorReport) reason(status int) Reason {
	for _, c := range r.codes {
		if reason := codeReasons[strings.ToLower(c)]; reason != "" {
			return reason
		}
	}
	if limited := status == http.StatusTooManyRequests || status >= 500; limited && r.text != ReasonNoCredit {
		return ""
	}
	return r.text
}

// kind classifies the report by the HTTP status; 0 means an error inside a stream, which is classified by its codes.
// A code about credentials or credit takes precedence: providers send those with 400 and 429, where a retry is useless.
func (r errorReport) kind(status int) Kind {
	switch reason := r.reason(status); {
	case reason == ReasonNoCredit || reason == ReasonKeyRejected:
		return KindAuth
	case reason.permanent():
		return KindBadRequest
	}
	var first Kind
	for _, c := range r.codes {
		k, known := codeKinds[strings.ToLower(c)]
		if k == KindAuth {
			return KindAuth
		}
		if known && first == "" {
			first = k
		}
	}
	switch {
	case status >= 300:
		return statusKind(status)
	case first != "":
		return first
	case r.status >= 400:
		return statusKind(r.status)
	default:
		return KindUnavailable
	}
}

func statusKind(status int) Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden:
		return KindAuth
	case status == http.StatusTooManyRequests:
		return KindRateLimit
	case status == http.StatusServiceUnavailable, status == 529: // 529 is Anthropic's "overloaded"
		return KindOverloaded
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status >= 500:
		return KindUnavailable
	default:
		return KindBadRequest
	}
}
