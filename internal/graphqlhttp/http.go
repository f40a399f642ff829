package graphqlhttp

import (
	"context"
	"net/http"
	"time"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const allowedMethods = "GET, POST, OPTIONS"

func methodNotAllowed(message string) *problem {
	return refuse(
		http.StatusMethodNotAllowed,
		apperr.New(apperr.BadUserInput, "%s", message),
	).with("Allow", allowedMethods)
}

// serveRequest answers POST and GET, whatever the format of the answer.
func (h *Handler) serveRequest(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept, Accept-Encoding, Authorization")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	accepts := parseAccept(r.Header.Values("Accept"))
	if accepts.choose(offerResponse, offerJSON, offerSSE, offerParts, offerMultipart) == formatNone {
		h.refuseHTTP(
			w,
			r,
			notAcceptable(
				"Accept must allow application/json, application/graphql-response+json, text/event-stream or multipart/mixed.",
			),
		)
		return
	}
	req, p := h.readRequest(w, r)
	if p != nil {
		h.refuseHTTP(w, r, p)
		return
	}
	ctx, who, p := h.authenticateRequest(r)
	if p != nil {
		h.refuseHTTP(w, r, p)
		return
	}
	inParts := accepts.forQuery(true) == formatParts
	op, p := h.engine.prepare(ctx, req, inParts)
	h.answer(&exchange{handler: h, w: w, r: r, accepts: accepts, who: who, op: op}, ctx, p)
}

// exchange is one HTTP request whose operation is known.
type exchange struct {
	handler *Handler
	w       http.ResponseWriter
	r       *http.Request
	accepts accept
	who     identity
	op      *operation
}

// answer executes the operation, or tells why not, in the best format for the client.
func (h *Handler) answer(x *exchange, ctx context.Context, p *problem) {
	if p == nil && x.r.Method == http.MethodGet && x.op.kind == ast.Mutation {
		p = methodNotAllowed("Mutations need POST.").with("Allow", "POST")
	}
	chosen := x.accepts.forQuery(x.op.incremental)
	if x.op.kind == ast.Subscription {
		chosen = x.accepts.forSubscription()
	}
	if p == nil && chosen == formatNone {
		p = x.unacceptable()
	}
	switch {
	case p != nil && (p.status != 0 || !chosen.streams()):
		x.op.report(ctx, "http", codeOf(p.errors))
		h.refuseHTTP(x.w, x.r, p)
	case chosen == formatSSE:
		x.serveSSE(ctx, p)
	case chosen == formatMultipart:
		x.serveMultipart(ctx, p)
	case chosen == formatParts:
		x.serveParts(ctx, p)
	default:
		x.serveOnce(ctx, chosen)
	}
}

// streams says that request errors travel inside the stream: clients of these formats
// may not be able to read the body of any other answer.
func (f format) streams() bool { return f == formatSSE || f == formatMultipart }

func (x *exchange) unacceptable() *problem {
	if x.op.kind == ast.Subscription {
		return notAcceptable(
			"A subscription needs a WebSocket, or an Accept header that names text/event-stream or multipart/mixed;subscriptionSpec=1.0.",
		)
	}
	return notAcceptable("This operation's answer needs application/json or application/graphql-response+json in Accept.")
}

func notAcceptable(message string) *problem {
	return refuse(http.StatusNotAcceptable, apperr.New(apperr.BadUserInput, "%s", message))
}

// serveOnce executes a query or mutation and answers in one JSON object.
func (x *exchange) serveOnce(ctx context.Context, chosen format) {
	response := x.op.once(ctx)
	status := http.StatusOK
	if chosen == formatResponse && response.Data == nil {
		status = http.StatusBadRequest
	}
	x.op.report(ctx, "http", codeOf(response.Errors))
	x.handler.send(x.w, x.r, status, chosen, response)
}

// refuseHTTP answers a request that was not executed.
func (h *Handler) refuseHTTP(w http.ResponseWriter, r *http.Request, p *problem) {
	chosen := parseAccept(r.Header.Values("Accept")).choose(offerResponse, offerJSON)
	if chosen == formatNone {
		chosen = formatJSON
	}
	status := p.status
	if status == 0 && chosen == formatResponse {
		status = http.StatusBadRequest
	} else if status == 0 {
		status = http.StatusOK
	}
	for key, values := range p.header {
		w.Header()[key] = values
	}
	h.send(w, r, status, chosen, &graphql.Response{Errors: p.errors})
}

// send writes a response in one piece, compressed when that pays.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, status int, chosen format, response *graphql.Response) {
	body := takeBuffer()
	defer releaseBuffer(body)
	writeResponse(body, response)
	contentType := typeJSON
	if chosen == formatResponse {
		contentType = typeResponse
	}
	w.Header().Set("Content-Type", contentType+"; charset=utf-8")
	control := http.NewResponseController(w)
	// The deadline must not outlive this response on a kept-alive connection. A server
	// without deadlines (a test recorder) is no reason to fail.
	_ = control.SetWriteDeadline(time.Now().Add(h.options.Times.Write))
	h.writeBody(w, r, status, body)
	_ = control.Flush()
	_ = control.SetWriteDeadline(time.Time{})
}
