package mcp

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"errand/internal/apperr"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Handler serves the protocol over streamable HTTP, behind a guard.
func (s *Server) Handler(g Guard) http.Handler {
	return g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The new revision demands this header and that it tells the truth.
		if r.Header.Get("Mcp-Method") != MethodListen {
			s.http.ServeHTTP(w, r)
			return
		}
		s.serveListen(w, r)
	}))
}

// serveListen gives a subscription an SDK server of its own and ends with it.
func (s *Server) serveListen(w http.ResponseWriter, r *http.Request) {
	caller, _ := callerFrom(r.Context())
	if caller.expired() { // verification forgives clocks that differ, but nothing may last on it
		refuse(w, http.StatusUnauthorized, errExpired().Error())
		return
	}
	l, err := s.newLive(r.Context(), caller)
	if err != nil {
		s.o.Logger.ErrorContext(r.Context(), "mcp subscription failed", slog.Any("error", err))
		refuse(w, http.StatusServiceUnavailable, apperr.From(err).Message)
		return
	}
	defer l.close()
	exchangeFrom(r.Context()).server = l.server
	s.http.ServeHTTP(w, r)
}

// listen answers subscriptions/listen: it lasts until the client leaves, the token ends
// or this replica goes away. Resources that the viewer does not have are left out of
// what is acknowledged.
func (s *Server) listen(
	ctx context.Context,
	next sdk.MethodHandler,
	req *sdk.SubscriptionsListenRequest,
	l *live,
) (sdk.Result, error) {
	if l == nil {
		return nil, apperr.New(apperr.BadUserInput, "Subscriptions need revision %s of the protocol.", newRevision)
	}
	caller, _ := callerFrom(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	done, err := s.listens.open(caller.UserID, cancel)
	if err != nil {
		return nil, err
	}
	defer done()
	if wanted := req.Params.Notifications; wanted != nil {
		if len(wanted.ResourceSubscriptions) > maxWatched {
			return nil, apperr.Invalid("resourceSubscriptions", "Subscribe to at most %d resources at once.", maxWatched)
		}
		wanted.ResourceSubscriptions = slices.DeleteFunc(
			wanted.ResourceSubscriptions,
			func(uri string) bool { return !s.exists(ctx, uri) },
		)
	}
	return next(ctx, MethodListen, req)
}
