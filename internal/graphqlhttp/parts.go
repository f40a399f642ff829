package graphqlhttp

import (
	"bytes"
	"context"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
)

// parts is multipart/mixed with incremental delivery of the 2022-08-24 draft, which
// Apollo Client and urql read: the answer without its deferred fields, then each
// deferred fragment with its path.
type parts struct {
	x *exchange
	s *stream
	// gone is set when the client cannot be written to.
	gone context.Context
	d    *deferral
	code apperr.Code
}

// serveParts executes a query with @defer.
func (x *exchange) serveParts(ctx context.Context, p *problem) {
	if p != nil {
		x.op.report(ctx, "multipart", codeOf(p.errors))
		x.handler.refuseHTTP(x.w, x.r, p)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, x.handler.options.Times.Operation)
	defer cancel()
	answer := &parts{x: x, d: newDeferral(x.op), gone: ctx}
	answer.s = x.open(partsFraming{}, cancel)
	answer.run(ctx)
	answer.s.close(nil)
	x.op.report(ctx, "multipart", answer.code)
}

// run pulls every response that execution owes, also when the client is gone: deferred
// groups wait for somebody to take their result. What the end of ctx ends is the
// resolvers, see cancelResolvers.
func (a *parts) run(ctx context.Context) {
	patient := context.WithoutCancel(ctx)
	cancelResolvers(a.x.op.context, ctx)
	next, started := a.x.op.start(patient)
	for response := next(started); response != nil; response = next(started) {
		a.note(response)
		if a.gone.Err() != nil && a.d.begun {
			continue
		}
		a.s.write(func(b *bytes.Buffer) {
			b.WriteString(partHead)
			a.d.write(b, response)
			b.WriteString(delimiter)
		})
	}
}

func (a *parts) note(response *graphql.Response) {
	if a.code == "" {
		a.code = codeOf(response.Errors)
	}
	if !a.d.begun {
		a.x.op.addCost(response)
	}
}

// partsFraming delimits the parts; there are no heartbeats, since a query ends soon.
type partsFraming struct{ multipart }

func (partsFraming) contentType() string {
	return typeParts + `; boundary="` + boundary + `"; deferSpec=20220824`
}

func (partsFraming) heartbeat(*bytes.Buffer) {}
