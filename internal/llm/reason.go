package llm

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"errand/internal/apperr"
)

// Reason is the cause of a failure, where it is known more exactly than by its [Kind]. Replies store it, so released
// values keep their names; package enum has a text for each.
type Reason string

// The reasons.
const (
	// ReasonWebPage: the address answers with an HTML page, as a site, a proxy or a sign-in page does.
	ReasonWebPage Reason = "web_page"
	// ReasonNotAnAPI: the address answers with neither an event stream nor a response of the provider's API.
	ReasonNotAnAPI Reason = "not_an_api"
	// ReasonRedirect: the address redirects, which is not followed.
	ReasonRedirect Reason = "redirect"
	// ReasonPathNotFound: the server has no such path.
	ReasonPathNotFound Reason = "path_not_found"
	// ReasonModelNotFound: the server does not have the model.
	ReasonModelNotFound Reason = "model_not_found"
	// ReasonToolsRejected: the model cannot use tools.
	ReasonToolsRejected Reason = "tools_rejected"
	// ReasonKeyRejected: the key is missing, invalid or not permitted.
	ReasonKeyRejected Reason = "key_rejected"
	// ReasonNoCredit: the account has no credit, or its quota is used up, as opposed to a rate limit.
	ReasonNoCredit Reason = "no_credit"
	// ReasonRateLimit: the provider's limit on requests or tokens is exceeded for now.
	ReasonRateLimit Reason = "rate_limit"
	// ReasonOverloaded: the provider has no capacity for now.
	ReasonOverloaded Reason = "overloaded"
	// ReasonContextLength: the prompt is longer than the model's context window.
	ReasonContextLength Reason = "context_length"
	// ReasonTooLarge: the request has too many bytes.
	ReasonTooLarge Reason = "too_large"
	// ReasonContentFilter: the provider withheld the response or rejected the prompt because of its content.
	ReasonContentFilter Reason = "content_filter"
	// ReasonTokenLimit: the token limit ended the response before any text, or within a tool call.
	ReasonTokenLimit Reason = "token_limit"
	// ReasonEmptyAnswer: the response is complete, and has neither text nor tool calls.
	ReasonEmptyAnswer Reason = "empty_answer"
	// ReasonMalformedCall: the model's tool call could not be read, by this client or by the provider.
	ReasonMalformedCall Reason = "malformed_call"
	// ReasonTLS: no trusted TLS connection can be made.
	ReasonTLS Reason = "tls"
	// ReasonHTTPOnHTTPS: the address begins with https and the server speaks HTTP, or the reverse.
	ReasonHTTPOnHTTPS Reason = "http_on_https"
	// ReasonUnknownHost: the host name cannot be resolved.
	ReasonUnknownHost Reason = "unknown_host"
	// ReasonRefused: nothing listens at the address.
	ReasonRefused Reason = "refused"
	// ReasonTimeout: the provider sent nothing for too long.
	ReasonTimeout Reason = "timeout"
	// ReasonCutOff: the response broke off.
	ReasonCutOff Reason = "cut_off"
	// ReasonBadRequest: the provider rejected the request for another reason.
	ReasonBadRequest Reason = "bad_request"
)

// Reasons lists all reasons.
var Reasons = []Reason{
	ReasonWebPage, ReasonNotAnAPI, ReasonRedirect, ReasonPathNotFound, ReasonModelNotFound, ReasonToolsRejected,
	ReasonKeyRejected, ReasonNoCredit, ReasonRateLimit, ReasonOverloaded, ReasonContextLength, ReasonTooLarge,
	ReasonContentFilter, ReasonTokenLimit, ReasonEmptyAnswer, ReasonMalformedCall, ReasonTLS, ReasonHTTPOnHTTPS,
	ReasonUnknownHost, ReasonRefused, ReasonTimeout, ReasonCutOff, ReasonBadRequest,
}

// ReasonOf returns the reason of the *Error in err's chain, "" if there is none.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.reason()
	}
	return ""
}

// FailureReason returns the reason as text, for the run engine, which stores it with the reply.
func (e *Error) FailureReason() string { return string(e.reason()) }

// reason returns the reason or, if none is set, that of the kind.
func (e *Error) reason() Reason {
	if e.Reason != "" {
		return e.Reason
	}
	switch e.Kind {
	case KindAuth:
		return ReasonKeyRejected
	case KindRateLimit:
		return ReasonRateLimit
	case KindOverloaded:
		return ReasonOverloaded
	case KindTruncated:
		return ReasonCutOff
	case KindTimeout:
		return ReasonTimeout
	case KindBadRequest:
		return ReasonBadRequest
	default:
		return ""
	}
}

// permanent reports whether the same call fails again, whatever the kind is. A host name is looked up again: DNS fails
// for moments too.
func (r Reason) permanent() bool {
	switch r {
	case ReasonWebPage, ReasonNotAnAPI, ReasonRedirect, ReasonPathNotFound, ReasonModelNotFound, ReasonToolsRejected,
		ReasonKeyRejected, ReasonNoCredit, ReasonContextLength, ReasonTooLarge, ReasonContentFilter, ReasonTokenLimit,
		ReasonEmptyAnswer, ReasonTLS, ReasonHTTPOnHTTPS, ReasonBadRequest:
		return true
	default:
		return false
	}
}

// code returns the public code of the failures whose reason the user's text or its length is, else "".
func (r Reason) code() apperr.Code {
	switch r {
	case ReasonContextLength, ReasonTooLarge, ReasonTokenLimit:
		return apperr.ComplexityLimit
	case ReasonContentFilter:
		return apperr.BadUserInput
	default:
		return ""
	}
}

// reasonDetails are the texts for logs and for errand doctor.
var reasonDetails = map[Reason]string{
	ReasonWebPage:       "the model's address answers with a web page",
	ReasonNotAnAPI:      "the model's address answers, but not with a response of the provider's API",
	ReasonRedirect:      "the model's address redirects to another one, and redirects are not followed",
	ReasonPathNotFound:  "the server has no model API at this path",
	ReasonModelNotFound: "there is no such model at this address",
	ReasonToolsRejected: "the model does not support tools",
	ReasonNoCredit:      "the account has no credit left, or its quota is used up",
	ReasonContextLength: "the prompt is longer than the model's context window",
	ReasonTooLarge:      "the request is too large",
	ReasonContentFilter: "the provider's content filter rejected the prompt or withheld the response",
	ReasonTLS:           "the server's certificate is not trusted, or TLS failed",
	ReasonHTTPOnHTTPS:   "the address begins with http or https, and the server speaks the other",
	ReasonUnknownHost:   "the host name cannot be resolved",
	ReasonRefused:       "nothing listens at the address",
}

// newReasonError returns an error with the reason's detail.
func (c *Client) newReasonError(k Kind, r Reason) *Error {
	e := c.newError(k, reasonDetails[r])
	e.Reason = r
	return e
}

// phrases are parts of providers' messages, in lower case, that name a reason where no code does. Messages are read for
// nothing else, and are not kept.
var phrases = []struct {
	reason Reason
	texts  []string
}{
	{ReasonToolsRejected, []string{
		"does not support tool", "support tool use", "tools is not supported",
		"does not support function calling", "tool use is not supported", "tool calling is not supported",
	}},
	{ReasonContextLength, []string{
		"context length", "context window", "context size", "prompt is too long",
		"maximum number of tokens", "input token count", "too many input tokens", "exceeds the model's maximum",
	}},
	{ReasonNoCredit, []string{
		"credit balance", "insufficient credit", "insufficient balance", "requires more credits",
		"out of credits", "insufficient_quota", "billing hard limit", "perday",
	}},
	{ReasonHTTPOnHTTPS, []string{"http request to an https server", "plain http request was sent to https port"}},
}

// missingModel are parts of messages about an unknown model, behind the word "model".
var missingModel = []string{"not found", "does not exist", "not a valid model", "is not available"}

// classifyText returns the reason that the text of an error body names, else "".
func classifyText(body []byte) Reason {
	text := strings.ToLower(string(body))
	for _, p := range phrases {
		for _, s := range p.texts {
			if strings.Contains(text, s) {
				return p.reason
			}
		}
	}
	before, after, found := strings.Cut(text, "model")
	if !found {
		return ""
	}
	for _, s := range missingModel {
		if strings.Contains(after, s) {
			return ReasonModelNotFound
		}
	}
	for _, s := range []string{"invalid ", "unknown ", "no such ", "not a valid "} {
		if strings.HasSuffix(before, s) {
			return ReasonModelNotFound
		}
	}
	return ""
}

// isWebPage reports whether a body is HTML, or by its content type claims to be.
func isWebPage(h http.Header, body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	return strings.HasPrefix(h.Get("Content-Type"), "text/html") || bytes.HasPrefix(body, []byte("<"))
}
