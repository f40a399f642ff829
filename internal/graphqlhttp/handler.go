package graphqlhttp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
)

// errShutdown is why contexts of streams and sockets end when the server stops.
var errShutdown = errors.New("service restart")

// Handler serves GraphQL over every transport at one path.
type Handler struct {
	options Options
	engine  *engine
	sockets *sockets
	streams *gauge

	// stopping is cancelled with errShutdown by Shutdown.
	stopping context.Context
	stop     context.CancelCauseFunc
	once     sync.Once
}

// New returns the handler for o. It panics without Schema or Authenticate.
func New(o Options) *Handler {
	if o.Schema == nil || o.Authenticate == nil {
		panic("transport: Options needs Schema and Authenticate")
	}
	o = o.filled()
	h := &Handler{options: o, engine: newEngine(o), streams: newGauge(0, o.Sizes.Streams)}
	h.sockets = newSockets(o.Sizes)
	h.stopping, h.stop = context.WithCancelCause(context.Background())
	return h
}

// ServeHTTP answers one request. Wrap it with Origins.CORS for browsers on other origins.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case isUpgrade(r):
		h.serveSocket(w, r)
	case r.Method == http.MethodGet, r.Method == http.MethodPost:
		h.serveRequest(w, r)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	default:
		h.refuseHTTP(w, r, methodNotAllowed("GraphQL is served by POST, GET and WebSocket."))
	}
}

// Shutdown ends every socket (close code 1012) and stream so that clients come back to
// another replica or the restarted server, and refuses new ones. It waits until they are
// gone or ctx ends. Plain requests are left to http.Server.Shutdown.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.once.Do(func() {
		h.stop(errShutdown)
		h.sockets.closeAll()
	})
	if err := h.sockets.wait(ctx); err != nil {
		return err
	}
	return h.streams.wait(ctx)
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
