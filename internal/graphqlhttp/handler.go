package graphqlhttp

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/connlimit"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/ws"
)

// Handler serves GraphQL over all transports at one path.
type Handler struct {
	options Options
	engine  *exec.Engine
	sockets *ws.Server
	streams *connlimit.Limiter
	// requests counts the requests in progress other than streams.
	requests *connlimit.Limiter
	// compress wraps the handler of a single response.
	compress func(http.Handler) http.HandlerFunc

	// stopping is cancelled with errServiceRestart by Shutdown.
	stopping context.Context
	stop     context.CancelCauseFunc
}

// errServiceRestart is the cause of the end of the contexts of streams when the server shuts down.
var errServiceRestart = errors.New("service restart")

// New returns the handler of an engine's schema.
func New(engine *exec.Engine, o Options) *Handler {
	o = o.WithDefaults()
	h := &Handler{
		options:  o,
		engine:   engine,
		sockets:  ws.NewServer(engine, o.Socket),
		streams:  connlimit.New(0, o.StreamsPerUser),
		requests: connlimit.New(0, o.RequestsPerUser),
		compress: newCompressor(o.CompressBytes),
	}
	h.stopping, h.stop = context.WithCancelCause(context.Background())
	return h
}

// ServeHTTP serves one request. Wrap the handler with an origin.Policy: browsers send WebSocket handshakes and some GET
// requests for pages of any origin.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case isUpgrade(r):
		h.serveSocket(w, r)
	case h.options.Playground != "" && isVisit(r):
		w.Header().Set("Location", h.options.Playground) // relative: the server may be below a path prefix
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusSeeOther)
	case r.Method == http.MethodGet, r.Method == http.MethodPost:
		h.serveRequest(w, r)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	default:
		h.writeRequestError(w, r, methodNotAllowed("GraphQL is served by POST, GET and WebSocket."))
	}
}

// RefuseOrigin writes the response to a request of a page whose origin is not allowed.
func (h *Handler) RefuseOrigin(w http.ResponseWriter, r *http.Request) {
	h.writeRequestError(w, r, exec.NewRequestError(http.StatusForbidden,
		apperr.New(apperr.Forbidden, "Pages of this origin may not send requests.")))
}

// serveSocket upgrades the request to a WebSocket.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request) {
	if err := h.sockets.Check(r); err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	ctx, identity, err := h.authenticate(r)
	if err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	if err := h.sockets.Upgrade(ctx, w, r, identity); err != nil {
		h.writeRequestError(w, r, err)
	}
}

// Disconnect closes the WebSockets of a user whose account was deleted, after the responses to their operations in
// progress. HTTP streams end by themselves.
func (h *Handler) Disconnect(userID string) { h.sockets.Disconnect(userID) }

// Shutdown ends all sockets (close code 1012) and streams, so that clients reconnect to another replica or to the
// restarted server, and rejects new ones. It returns when all have ended, or ctx's error. Other requests are left to
// http.Server.Shutdown.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.stop(errServiceRestart)
	h.sockets.Shutdown()
	if err := h.sockets.Wait(ctx); err != nil {
		return err
	}
	return h.streams.Wait(ctx)
}

// isVisit reports whether a person has opened the address in a browser: a GET for a page, without a request.
func isVisit(r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.RawQuery != "" {
		return false
	}
	_, named := parseAccept(r.Header.Values("Accept")).match("text/html", nil)
	return named
}

func isUpgrade(r *http.Request) bool {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return false
	}
	for _, value := range r.Header.Values("Connection") {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "Upgrade") {
				return true
			}
		}
	}
	return false
}
