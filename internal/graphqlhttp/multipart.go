package graphqlhttp

import (
	"bytes"
	"context"

	"errand/internal/apperr"
)

// boundary separates parts. It needs no randomness: inside JSON no line begins with it.
const boundary = "graphql"

// Every part ends with the delimiter of the next, since clients act on a part when they
// see its end.
const (
	partHead  = "\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
	delimiter = "\r\n--" + boundary
	lastDash  = "--\r\n"
)

// multipart is Apollo's multipart subscription protocol, version 1.0.
type multipart struct{}

func (x *exchange) serveMultipart(ctx context.Context, p *problem) {
	x.serve(ctx, multipart{}, "multipart", p)
}

func (multipart) contentType() string {
	return typeParts + `; boundary="` + boundary + `"; subscriptionSpec="1.0"`
}

func (multipart) begin(b *bytes.Buffer) { b.WriteString(delimiter) }

func (multipart) heartbeat(b *bytes.Buffer) { b.WriteString(partHead + "{}" + delimiter) }

func (multipart) next(b *bytes.Buffer, r reply) {
	b.WriteString(partHead + `{"payload":`)
	r.write(b)
	b.WriteString("}" + delimiter)
}

// end tells an early end as an error of the transport, beside the payload.
func (multipart) end(b *bytes.Buffer, reason *apperr.Error) {
	if reason != nil {
		b.WriteString(partHead + `{"payload":null,"errors":`)
		writeJSON(b, failure(wire(reason)).Errors)
		b.WriteString("}" + delimiter)
	}
	b.WriteString(lastDash)
}
