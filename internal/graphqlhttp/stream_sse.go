package graphqlhttp

import (
	"bytes"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"
)

// sse is the distinct connections mode of the graphql-sse protocol.
type sse struct{}

func (sse) transport() string { return "sse" }

func (sse) contentType() string { return mediaTypeSSE + "; charset=utf-8" }

// begin writes a comment, so that the client learns at once that it is connected.
func (sse) begin(b *bytes.Buffer) { b.WriteString(":\n\n") }

func (sse) heartbeat(b *bytes.Buffer) { b.WriteString(":\n\n") }

func (sse) next(b *bytes.Buffer, r exec.Result) {
	b.WriteString("event: next\ndata: ")
	start := b.Len()
	r.WriteTo(b)
	// A line break would end the field. In JSON it can only be white space.
	for i, c := range b.Bytes()[start:] {
		if c == '\n' || c == '\r' {
			b.Bytes()[start+i] = ' '
		}
	}
	b.WriteString("\n\n")
}

// end writes complete, except when the server shuts down: without it the client reconnects.
func (s sse) end(b *bytes.Buffer, reason *apperr.Error) {
	if reason != nil && reason.Code == apperr.Unavailable {
		b.WriteString("retry: 1000\n: " + reason.Message + "\n\n")
		return
	}
	if reason != nil {
		s.next(b, exec.Result{Response: exec.ErrorResponse(exec.ToGraphQLError(reason))})
	}
	b.WriteString("event: complete\ndata: \n\n")
}
