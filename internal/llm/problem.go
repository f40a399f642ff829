package llm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problem is what may be taken from a provider's error report: words from a
// fixed vocabulary, a number and a wait. Its free text is dropped here.
type problem struct {
	words []string
	code  int
	wait  time.Duration
}

// problemWords maps the error words of all wires to kinds.
var problemWords = map[string]Kind{
	"invalid_api_key": KindAuth, "authentication_error": KindAuth, "permission_error": KindAuth,
	"billing_error": KindAuth, "insufficient_quota": KindAuth, "api_key_invalid": KindAuth,
	"permission_denied": KindAuth, "unauthenticated": KindAuth,
	"rate_limit_error": KindRateLimit, "rate_limit_exceeded": KindRateLimit, "resource_exhausted": KindRateLimit,
	"overloaded_error": KindOverloaded, "overloaded": KindOverloaded, "server_overloaded": KindOverloaded,
	"unavailable":           KindOverloaded,
	"invalid_request_error": KindBadRequest, "invalid_argument": KindBadRequest, "not_found_error": KindBadRequest,
	"not_found": KindBadRequest, "request_too_large": KindBadRequest, "context_length_exceeded": KindBadRequest,
	"failed_precondition": KindBadRequest, "model_not_found": KindBadRequest, "unsupported_parameter": KindBadRequest,
	"unsupported_value": KindBadRequest, "invalid_type": KindBadRequest, "invalid_value": KindBadRequest,
	"string_above_max_length": KindBadRequest, "content_policy_violation": KindBadRequest,
	"timeout_error": KindTimeout, "deadline_exceeded": KindTimeout,
	"api_error": KindUnavailable, "server_error": KindUnavailable, "internal": KindUnavailable,
}

// report is the union of the providers' error envelopes. "error" is an object
// everywhere but on some local servers, where it is a string.
type report struct {
	Error json.RawMessage `json:"error"`
}

type reportBody struct {
	Type    string          `json:"type"`
	Code    json.RawMessage `json:"code"`
	Status  string          `json:"status"`
	Details []struct {
		Reason     string `json:"reason"`
		RetryDelay string `json:"retryDelay"`
	} `json:"details"`
}

// parseProblem reads an error report of any wire. Gemini may wrap it in a list.
func parseProblem(body []byte) (p problem, ok bool) {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var r report
	if json.Unmarshal(body, &r) != nil || len(r.Error) == 0 || string(r.Error) == "null" {
		return problem{}, false
	}
	var b reportBody
	if json.Unmarshal(r.Error, &b) != nil {
		return problem{}, true // an error without structure is still an error
	}
	code := strings.Trim(string(b.Code), `"`)
	p.code, _ = strconv.Atoi(code)
	p.words = append(p.words, code, b.Type, b.Status)
	for _, d := range b.Details {
		p.words = append(p.words, d.Reason)
		if w, err := time.ParseDuration(d.RetryDelay); err == nil && w > 0 {
			p.wait = w
		}
	}
	return p, true
}

// known is the first of the report's words that is of the vocabulary, the most particular one
// on every wire, for the log; "" when none is.
func (p problem) known() string {
	for _, w := range p.words {
		if w = strings.ToLower(w); problemWords[w] != "" {
			return w
		}
	}
	return ""
}

// kind decides by the HTTP status, except that a word about credentials or
// credit wins: providers send those with 400 and 429, where waiting is no use.
func (p problem) kind(status int) Kind {
	var word Kind
	for _, w := range p.words {
		k, known := problemWords[strings.ToLower(w)]
		if k == KindAuth {
			return KindAuth
		}
		if known && word == "" {
			word = k
		}
	}
	switch {
	case status >= 300:
		return statusKind(status)
	case word != "":
		return word
	case p.code >= 400:
		return statusKind(p.code)
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
	case status == http.StatusServiceUnavailable, status == 529: // 529: Anthropic's "overloaded"
		return KindOverloaded
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status >= 500:
		return KindUnavailable
	default:
		return KindBadRequest
	}
}

// retryAfter reads the provider's wait: milliseconds, seconds or an HTTP date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
