package graphqlhttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/refusal"

	"github.com/vektah/gqlparser/v2/ast"
)

// exchange is an HTTP request whose operation is known.
type exchange struct {
	handler  *Handler
	w        http.ResponseWriter
	r        *http.Request
	accepts  accept
	identity exec.Identity
	op       *exec.Operation
	// release ends the count of the request; see admit.
	release func()
}

// serveRequest serves POST and GET, in any response format.
func (h *Handler) serveRequest(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept, Authorization")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	accepts := parseAccept(r.Header.Values("Accept"))
	if accepts.choose(offerResponse, offerJSON, offerSSE, offerIncremental, offerMultipart) == formatNone {
		h.writeRequestError(w, r, notAcceptable("Accept must allow application/json, "+
			"application/graphql-response+json, text/event-stream or multipart/mixed."))
		return
	}
	if err := h.checkHeader(r); err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	// Before the body is read: how much memory a request may take depends on its user.
	ctx, identity, err := h.authenticate(r)
	if err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	release, err := h.admit(identity)
	if err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	defer release()
	request, err := h.readRequest(w, r, identity)
	if err != nil {
		h.writeRequestError(w, r, err)
		return
	}
	op, err := h.engine.Prepare(request, identity, accepts.forQuery(true) == formatIncremental)
	x := &exchange{handler: h, w: w, r: r, accepts: accepts, identity: identity, op: op, release: release}
	x.serve(ctx, err)
}

// admit counts a request of a user. The caller calls release, more than once if it likes, when the response is written
// or a stream, which is counted elsewhere, begins.
func (h *Handler) admit(identity exec.Identity) (release func(), err *exec.RequestError) {
	h.requests.Acquire() // without a limit in total
	if !h.requests.Assign(identity.UserID) {
		h.requests.Release("")
		return nil, exec.NewRequestError(http.StatusTooManyRequests, apperr.TooMany(time.Second,
			"At most %d requests of a user may be in progress on this server.", h.options.RequestsPerUser),
		).WithHeader("Retry-After", "1")
	}
	return sync.OnceFunc(func() { h.requests.Release(identity.UserID) }), nil
}

// serve executes the operation, or reports why it was rejected, in the best format that the client accepts.
func (x *exchange) serve(ctx context.Context, err *exec.RequestError) {
	if err == nil && x.r.Method == http.MethodGet && x.op.Kind == ast.Mutation {
		err = methodNotAllowed("Mutations need POST.").WithHeader("Allow", "POST")
	}
	chosen := x.accepts.forQuery(x.op.Incremental)
	if x.op.Kind == ast.Subscription {
		chosen = x.accepts.forSubscription()
	}
	if err == nil && chosen == formatNone {
		err = x.notAcceptable()
	}
	switch {
	case err != nil && (err.Status != 0 || !chosen.streams()):
		x.report(ctx, "http", err.Code())
		x.handler.writeRequestError(x.w, x.r, err)
	case chosen == formatSSE:
		x.release()
		x.serveStream(ctx, sse{}, err)
	case chosen == formatMultipart:
		x.release()
		x.serveStream(ctx, multipart{}, err)
	case chosen == formatIncremental:
		x.serveIncremental(ctx)
	default:
		x.serveSingle(ctx, chosen)
	}
}

// report records the end of the operation, and that a token was missing for it.
func (x *exchange) report(ctx context.Context, transport string, code apperr.Code) {
	if code == apperr.Unauthenticated && x.identity.UserID == "" {
		x.handler.engine.Refusals().NoToken(ctx, refusal.GraphQL, refusal.Transport(transport), x.r.RemoteAddr)
	}
	x.op.Report(ctx, transport, code)
}

// streams reports whether request errors are sent inside the stream: clients of these formats may not be able to read
// another response.
func (f format) streams() bool { return f == formatSSE || f == formatMultipart }

func (x *exchange) notAcceptable() *exec.RequestError {
	if x.op.Kind == ast.Subscription {
		return notAcceptable("A subscription needs a WebSocket, or an Accept header with text/event-stream or " +
			"multipart/mixed;subscriptionSpec=1.0.")
	}
	return notAcceptable("This operation needs application/json or application/graphql-response+json in Accept.")
}

// serveSingle executes a query or mutation and writes a single response.
func (x *exchange) serveSingle(ctx context.Context, chosen format) {
	x.op.StreamValues()
	defer x.op.CloseStreamed()
	release := x.op.ReuseMemory()
	response := x.op.Execute(ctx)
	code := exec.CodeOf(response.Errors)
	status := executedStatus(chosen, response, code)
	x.report(ctx, "http", code)
	if x.op.HasStreamed() {
		x.handler.writeStreamed(x.w, x.r, status, chosen, response, x.op)
	} else {
		x.handler.writeResponse(x.w, x.r, status, chosen, response)
	}
	if response.Data != nil { // else the execution may have panicked while other resolvers go on
		release()
	}
}
