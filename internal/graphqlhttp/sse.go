package graphqlhttp

import (
	"bytes"
	"context"

	"errand/internal/apperr"
)

// sse is the distinct connections mode of the graphql-sse protocol.
type sse struct{}

func (x *exchange) serveSSE(ctx context.Context, p *problem) { x.serve(ctx, sse{}, "sse", p) }

func (sse) contentType() string { return typeSSE + "; charset=utf-8" }

// begin sends a comment, so that the client knows at once that it is connected.
func (sse) begin(b *bytes.Buffer) { b.WriteString(":\n\n") }

func (sse) heartbeat(b *bytes.Buffer) { b.WriteString(":\n\n") }

func (sse) next(b *bytes.Buffer, r reply) {
	b.WriteString("event: next\ndata: ")
	start := b.Len()
	r.write(b)
	// A line break would end the field; in JSON it can only be white space.
	for i, c := range b.Bytes()[start:] {
		if c == '\n' || c == '\r' {
			b.Bytes()[start+i] = ' '
		}
	}
	b.WriteString("\n\n")
}

// end sends complete. When the server stops it does not: the client then takes the end
// of the connection for what it is and comes back.
func (s sse) end(b *bytes.Buffer, reason *apperr.Error) {
	if reason != nil && reason.Code == apperr.Unavailable {
		b.WriteString("retry: 1000\n: " + reason.Message + "\n\n")
		return
	}
	if reason != nil {
		s.next(b, reply{response: failure(wire(reason))})
	}
	b.WriteString("event: complete\ndata: \n\n")
}
