package mcp

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"errand/internal/apperr"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Handler returns the streamable HTTP handler behind g.
func (s *Server) Handler(g Guard) http.Handler {
	return g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeFrom(r.Context())
		if !s.count(w, r, x) {
			return
		}
		// Revision 2026-07-28 requires the header and that it equals the method.
		if x.limited != nil || x.head.Method != MethodListen || r.Header.Get("Mcp-Method") != MethodListen {
			s.http.ServeHTTP(w, r)
			return
		}
		s.serveListen(w, r, x)
	}))
}

// serveListen serves a subscription on an SDK server of its own. It is counted before anything is built for it; above
// the limit the middleware rejects it.
func (s *Server) serveListen(w http.ResponseWriter, r *http.Request, x *httpExchange) {
	v, err := viewer.RequireAny(r.Context(), viewer.TasksRead, viewer.Chat)
	if expired(v) { // a long-lived stream must not use the leeway
		writeError(w, http.StatusUnauthorized, tokenExpired().Error())
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var done func()
	if err == nil {
		done, err = s.subscriptions.open(v.UserID, cancel)
	}
	if err != nil {
		x.limited = err
		s.http.ServeHTTP(w, r)
		return
	}
	defer done()
	defer s.o.AfterRevoked(v.CredentialID, cancel)()
	l, err := s.newSubscriber(ctx)
	if err != nil {
		s.o.Logger.ErrorContext(r.Context(), "mcp subscription failed", slog.Any("error", err))
		writeError(w, http.StatusServiceUnavailable, apperr.From(err).Message)
		return
	}
	defer l.close()
	x.server = l.server
	w.Header().Set("X-Accel-Buffering", "no") // the SDK sets Cache-Control: no-transform
	// From here on, each write has a deadline of its own. An error means that the server has no deadlines.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	s.http.ServeHTTP(w, r)
}

// listen serves subscriptions/listen until the client disconnects, the token expires or the replica stops.
// Resources that the viewer cannot read are left out of the acknowledgement.
func (s *Server) listen(
	ctx context.Context,
	next sdk.MethodHandler,
	req *sdk.SubscriptionsListenRequest,
	l *subscriber,
) (sdk.Result, error) {
	if l == nil {
		return nil, apperr.New(apperr.BadUserInput, "Subscriptions need revision %s of the protocol.", revision2026)
	}
	if _, err := viewer.RequireAny(ctx, viewer.TasksRead, viewer.Chat); err != nil { // over stdio
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	if wanted := req.Params.Notifications; wanted != nil {
		if len(wanted.ResourceSubscriptions) > maxSubscribedResources {
			return nil, apperr.Invalid("resourceSubscriptions", "Subscribe to at most %d resources at once.",
				maxSubscribedResources)
		}
		wanted.ResourceSubscriptions = slices.DeleteFunc(
			wanted.ResourceSubscriptions,
			func(uri string) bool { return !s.exists(ctx, uri) },
		)
	}
	return next(ctx, MethodListen, req)
}
