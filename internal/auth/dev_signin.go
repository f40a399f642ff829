package auth

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"errand/internal/apperr"
	"errand/internal/config"
	"errand/internal/refusal"
)

// DevSignInPath is the path of the development sign-in.
const DevSignInPath = "/dev/sign-in"

const maxDevSignInBytes = 1 << 10

// devSignInHandler responds to POST {"user":"alice"} with {"token","user","expiresAt"}. It rejects requests
// that do not come from this machine's own user.
type devSignInHandler struct {
	signer   *DevSigner
	log      *slog.Logger
	refusals *refusal.Recorder
}

// ServeHTTP implements http.Handler.
func (s *devSignInHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if reason := rejectionReason(r); reason != "" {
		s.refusals.Request(r, refusal.SignIn, refusal.HTTP, refusal.NotLocal, reason)
		writeError(w, http.StatusForbidden, apperr.New(apperr.Forbidden, "Development sign-in refused: %s.", reason))
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, apperr.New(apperr.BadUserInput, "Use POST."))
		return
	}
	// A page of another site can post a form without a CORS preflight, but not this media type.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType,
			apperr.New(apperr.BadUserInput, "Send Content-Type: application/json."))
		return
	}
	s.issueToken(w, r)
}

func (s *devSignInHandler) issueToken(w http.ResponseWriter, r *http.Request) {
	user, err := decodeUser(http.MaxBytesReader(w, r.Body, maxDevSignInBytes))
	if err != nil {
		writeError(w, http.StatusBadRequest, apperr.From(err))
		return
	}
	token, expires, err := s.signer.Token(user, DevTokenTTL)
	if err != nil {
		status := http.StatusInternalServerError
		if apperr.CodeOf(err) == apperr.BadUserInput {
			status = http.StatusBadRequest
		}
		writeError(w, status, apperr.From(err))
		return
	}
	s.log.Info("development sign-in", "user", user)
	writeJSON(w, http.StatusOK, map[string]string{
		"token": token, "user": user, "expiresAt": expires.Format(time.RFC3339),
	})
}

func decodeUser(body io.Reader) (string, error) {
	var input struct {
		User string `json:"user"`
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&input); err != nil {
		return "", apperr.Wrap(err, apperr.BadUserInput, `Send {"user":"NAME"}.`)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return "", apperr.New(apperr.BadUserInput, `Send one {"user":"NAME"} and nothing after it.`)
	}
	return input.User, nil
}

// rejectionReason returns why a request may not come from this machine's own user, "" when it does. The checks are
// against a public listener, another machine, a proxy that forwards remote requests over loopback, a name that
// resolves to 127.0.0.1 (DNS rebinding), and a page of another site.
func rejectionReason(r *http.Request) string {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch {
	case local == nil || !config.IsLoopbackAddr(local.String()):
		return "it did not arrive on a loopback address"
	case !config.IsLoopbackAddr(r.RemoteAddr):
		return "it comes from another machine"
	case viaProxy(r):
		return "it came through a proxy"
	case !isLoopbackHostHeader(r.Host):
		return "its Host header does not name this machine"
	case !hasOnlyLoopbackOrigins(r.Header):
		return "its Origin header names another site"
	default:
		return ""
	}
}

// proxyHeaderPrefixes are prefixes of the headers that proxies, load balancers and tunnels add.
var proxyHeaderPrefixes = []string{
	"Forwarded", "Via", "X-Forwarded", "X-Original-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
	"X-Proxyuser-Ip", "True-Client-Ip", "Fastly-", "Cf-", "Cdn-", "X-Envoy-", "X-Amzn-", "X-Azure-", "X-Appengine-",
	"X-Cloud-Trace-", "Tailscale-", "Ngrok-",
}

// viaProxy reports whether the request came through a proxy. A proxy that adds no header and uses HTTP/1.1 is not
// detected.
func viaProxy(r *http.Request) bool {
	// With its defaults nginx adds no header and sends the upstream's address as the Host, but older releases
	// use HTTP/1.0, which no current client does.
	if !r.ProtoAtLeast(1, 1) {
		return true
	}
	for name := range r.Header {
		if slices.ContainsFunc(proxyHeaderPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return true
		}
	}
	return false
}

// isLoopbackHostHeader reports whether a Host header, with or without a port, names this machine.
func isLoopbackHostHeader(host string) bool {
	return config.IsLoopbackHost(host) || config.IsLoopbackAddr(host)
}

func hasOnlyLoopbackOrigins(h http.Header) bool {
	for _, origin := range h.Values("Origin") {
		if !config.IsLoopbackOrigin(origin) {
			return false
		}
	}
	return true
}

// RefuseOrigin writes the response to a request of a page whose origin is not allowed, for paths that respond with the
// errors of this package.
func RefuseOrigin(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	writeError(w, http.StatusForbidden, apperr.New(apperr.Forbidden, "Pages of this origin may not send requests."))
}

func writeError(w http.ResponseWriter, status int, e *apperr.Error) {
	body := map[string]string{"code": string(e.Code), "message": e.Message}
	if e.Field != "" {
		body["field"] = e.Field
	}
	writeJSON(w, status, map[string]any{"error": body})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the client has disconnected
}
