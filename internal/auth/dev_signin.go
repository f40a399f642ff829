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
)

// DevSignInPath is where the development sign-in listens.
const DevSignInPath = "/dev/sign-in"

const maxDevSignInBytes = 1 << 10

// devSignInHandler answers POST {"user":"alice"} with {"token","user","expiresAt"}.
type devSignInHandler struct {
	signer *DevSigner
	log    *slog.Logger
}

// ServeHTTP implements http.Handler.
func (s *devSignInHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if why := remoteReason(r); why != "" {
		writeError(w, http.StatusForbidden, apperr.New(apperr.Forbidden, "Development sign-in refused: %s.", why))
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, apperr.New(apperr.BadUserInput, "Use POST."))
		return
	}
	// A form of a foreign page can be sent without asking the browser; this type cannot.
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		writeError(
			w,
			http.StatusUnsupportedMediaType,
			apperr.New(apperr.BadUserInput, "Send Content-Type: application/json."),
		)
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

// remoteReason says why a request may come from elsewhere than this machine's own user, "" when it does not.
// Each check closes one way in: a public listener, another machine, a proxy that makes
// everybody local, a name that an attacker points at 127.0.0.1 (DNS rebinding), a foreign page.
func remoteReason(r *http.Request) string {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	switch {
	case local == nil || !config.IsLoopbackAddr(local.String()):
		return "it did not arrive on a loopback address"
	case !config.IsLoopbackAddr(r.RemoteAddr):
		return "it comes from another machine"
	case viaProxy(r):
		return "it came through a proxy"
	case !isLoopbackHostHeader(r.Host):
		return "its Host is not this machine"
	case !hasOnlyLoopbackOrigins(r.Header):
		return "its Origin is another site"
	default:
		return ""
	}
}

// proxyHeaderPrefixes are the headers, or their beginnings, by which proxies, load balancers and tunnels give themselves away.
var proxyHeaderPrefixes = []string{
	"Forwarded", "Via", "X-Forwarded", "X-Original-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Proxyuser-Ip",
	"True-Client-Ip", "Fastly-", "Cf-", "Cdn-", "X-Envoy-", "X-Amzn-", "X-Azure-", "X-Appengine-", "X-Cloud-Trace-", "Tailscale-", "Ngrok-",
}

// viaProxy recognises proxies that can be: one that adds nothing and speaks as clients do looks like one.
func viaProxy(r *http.Request) bool {
	// nginx, left to its defaults, adds no header and takes this server's own name for the Host, but
	// for years spoke HTTP/1.0, which no client of today does.
	if !r.ProtoAtLeast(1, 1) {
		return true
	}
	for name := range r.Header {
		if slices.ContainsFunc(proxyHeaderPrefixes, func(mark string) bool { return strings.HasPrefix(name, mark) }) {
			return true
		}
	}
	return false
}

// isLoopbackHostHeader reads a Host header, with or without a port.
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
	_ = json.NewEncoder(w).Encode(body) // the client is gone if this fails
}
