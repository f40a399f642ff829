package graphqlhttp

import (
	"bytes"
	"context"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/incremental"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// boundary separates the parts. It need not be random: no line of JSON begins with it.
const boundary = "graphql"

// Each part ends with the delimiter of the next, since clients process a part when they receive its end.
const (
	partHeader     = "\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
	delimiter      = "\r\n--" + boundary
	closeDelimiter = "--\r\n"
)

// multipart is Apollo's multipart subscription protocol, version 1.0.
type multipart struct{}

func (multipart) transport() string { return "multipart" }

func (multipart) contentType() string {
	return mediaTypeMultipart + `; boundary="` + boundary + `"; subscriptionSpec="1.0"`
}

func (multipart) begin(b *bytes.Buffer) { b.WriteString(delimiter) }

func (multipart) heartbeat(b *bytes.Buffer) { b.WriteString(partHeader + "{}" + delimiter) }

func (multipart) next(b *bytes.Buffer, r exec.Result) {
	b.WriteString(partHeader + `{"payload":`)
	r.WriteTo(b)
	b.WriteString("}" + delimiter)
}

// end reports an early end as a transport error, beside the payload.
func (multipart) end(b *bytes.Buffer, reason *apperr.Error) {
	if reason != nil {
		b.WriteString(partHeader + `{"payload":null,"errors":`)
		exec.WriteJSON(b, gqlerror.List{exec.ToGraphQLError(reason)})
		b.WriteString("}" + delimiter)
	}
	b.WriteString(closeDelimiter)
}

// deferred is multipart/mixed with incremental delivery of the 2022-08-24 draft, which Apollo Client and urql read:
// the response without its deferred fields, then each deferred fragment with its path. It has no heartbeats, since a
// query ends soon.
type deferred struct{ multipart }

func (deferred) contentType() string {
	return mediaTypeMultipart + `; boundary="` + boundary + `"; deferSpec=20220824`
}

func (deferred) heartbeat(*bytes.Buffer) {}

// serveIncremental executes a query with @defer. It receives all responses also when the client has left, see
// exec.Operation.ExecuteIncremental.
func (x *exchange) serveIncremental(ctx context.Context) {
	ctx, cancel := x.handler.engine.WithTimeout(ctx)
	defer cancel()
	s := x.openStream(deferred{}, cancel)
	encoder := incremental.NewEncoder(x.op)
	var code apperr.Code
	initial := true
	for response := range x.op.ExecuteIncremental(ctx) {
		if code == "" {
			code = exec.CodeOf(response.Errors)
		}
		if initial || ctx.Err() == nil {
			s.write(func(b *bytes.Buffer) {
				b.WriteString(partHeader)
				encoder.WriteTo(b, response)
				b.WriteString(delimiter)
			})
		}
		initial = false
	}
	s.close(nil)
	x.report(ctx, "multipart", code)
}
