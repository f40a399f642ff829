package llm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// errorReport is the part of a provider's error body that is kept: codes from a fixed vocabulary, a number and a delay.
// The free text is dropped.
type errorReport struct {
	codes      []string
	status     int
	retryDelay time.Duration
}

// codeKinds maps the error codes of all providers to kinds.
var codeKinds = map[string]Kind{
	"invalid_api_key":          KindAuth,
	"authentication_error":     KindAuth,
	"permission_error":         KindAuth,
	"billing_error":            KindAuth,
	"insufficient_quota":       KindAuth,
	"api_key_invalid":          KindAuth,
	"permission_denied":        KindAuth,
	"unauthenticated":          KindAuth,
	"rate_limit_error":         KindRateLimit,
	"rate_limit_exceeded":      KindRateLimit,
	"resource_exhausted":       KindRateLimit,
	"overloaded_error":         KindOverloaded,
	"overloaded":               KindOverloaded,
	"server_overloaded":        KindOverloaded,
	"unavailable":              KindOverloaded,
	"invalid_request_error":    KindBadRequest,
	"invalid_argument":         KindBadRequest,
	"not_found_error":          KindBadRequest,
	"not_found":                KindBadRequest,
	"request_too_large":        KindBadRequest,
	"context_length_exceeded":  KindBadRequest,
	"failed_precondition":      KindBadRequest,
	"model_not_found":          KindBadRequest,
	"unsupported_parameter":    KindBadRequest,
	"unsupported_value":        KindBadRequest,
	"invalid_type":             KindBadRequest,
	"invalid_value":            KindBadRequest,
	"string_above_max_length":  KindBadRequest,
	"content_policy_violation": KindBadRequest,
	"timeout_error":            KindTimeout,
	"deadline_exceeded":        KindTimeout,
	"api_error":                KindUnavailable,
	"server_error":             KindUnavailable,
	"internal":                 KindUnavailable,
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
	if json.Unmarshal(body, &envelope) != nil || len(envelope.Error) == 0 || string(envelope.Error) == "null" {
		return errorReport{}, false
	}
	var b errorBody
	if json.Unmarshal(envelope.Error, &b) != nil {
		return errorReport{}, true // an error without structure is still an error
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

// kind classifies the report by the HTTP status; 0 means an error inside a stream, which is classified by its codes.
// A code about credentials or credit takes precedence: providers send those with 400 and 429, where a retry is useless.
func (r errorReport) kind(status int) Kind {
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
