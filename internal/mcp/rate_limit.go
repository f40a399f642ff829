package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"errand/internal/apperr"
)

// maxHead is the maximum size in bytes of a message whose head is decoded, above that of valid messages that have no
// long texts.
const maxHead = 64 << 10

// maxMessageID is the maximum length of an ID in bytes.
const maxMessageID = 256

// messageHead identifies a message. It is empty when the message is not valid or is larger than maxHead.
type messageHead struct {
	// ID is absent in notifications.
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
}

// headOf decodes the head of a message.
func headOf(body []byte) messageHead {
	var head messageHead
	if len(body) > maxHead || json.Unmarshal(body, &head) != nil {
		return messageHead{}
	}
	// An ID is a string or a number.
	if n := len(head.ID); n > maxMessageID || n > 0 && bytes.IndexByte([]byte(`{[tfn`), head.ID[0]) >= 0 {
		head.ID = nil
	}
	return head
}

// isRequest reports whether the SDK passes the message to the middleware and sends a response: a request of a method
// of the protocol.
func (h messageHead) isRequest() bool {
	return len(h.ID) > 0 && slices.Contains(requestMethods, h.Method)
}

// requestMethods are the methods of requests in all supported revisions.
var requestMethods = []string{
	methodInitialize, "server/discover", "ping", "logging/setLevel", "completion/complete",
	"tools/list", methodCall, "prompts/list", methodPrompt,
	methodListResources, "resources/templates/list", methodReadResource, methodSubscribe, "resources/unsubscribe",
	MethodListen,
}

// count counts an HTTP request of any method against the rate limit before the SDK decodes it. Above the limit, the
// middleware responds to requests, in the form of their method, and count to everything else: then it returns false.
func (s *Server) count(w http.ResponseWriter, r *http.Request, x *httpExchange) bool {
	x.limited = s.o.CheckRateLimit(r.Context())
	if x.limited == nil || x.head.isRequest() {
		return true
	}
	status := http.StatusServiceUnavailable
	e := apperr.From(x.limited)
	switch e.Code {
	case apperr.RateLimited:
		status = http.StatusTooManyRequests
	case apperr.Unauthenticated:
		status = http.StatusUnauthorized
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter.Seconds()))))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has left
		"jsonrpc": "2.0", "id": x.head.ID, "error": s.protocolError(r.Context(), "", x.limited),
	})
	return false
}
