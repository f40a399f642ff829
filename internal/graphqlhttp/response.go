package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// buffers are reused for encoding; one that grew large is left to the collector.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptBuffer = 64 << 10

func takeBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func releaseBuffer(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// writeResponse encodes r. Data is written as it is, since it is JSON already; without
// data (nothing was executed) there is no data member, as the specification demands.
func writeResponse(b *bytes.Buffer, r *graphql.Response) {
	b.WriteByte('{')
	comma := ""
	if len(r.Errors) > 0 {
		b.WriteString(`"errors":`)
		writeJSON(b, r.Errors)
		comma = ","
	}
	if r.Data != nil {
		b.WriteString(comma + `"data":`)
		b.Write(r.Data)
		comma = ","
	}
	if len(r.Extensions) > 0 {
		b.WriteString(comma + `"extensions":`)
		writeJSON(b, r.Extensions)
	}
	b.WriteByte('}')
}

// writeJSON writes v, or null when it cannot be encoded: extensions are the only values
// here that other code supplies, and one of them must not spoil the response.
func writeJSON(b *bytes.Buffer, v any) {
	mark := b.Len()
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		b.Truncate(mark)
		b.WriteString("null")
		return
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
}

// failure is a response of errors alone.
func failure(errs ...*gqlerror.Error) *graphql.Response {
	return &graphql.Response{Errors: errs}
}
