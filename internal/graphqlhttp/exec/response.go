package exec

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// buffers are reused for encoding; one that grew large is left to the garbage collector.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooledBuffer is enough for most responses: pages of 100 rows with texts.
const maxPooledBuffer = 256 << 10

// GetBuffer returns an empty buffer from a pool. Return it with PutBuffer.
func GetBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

// PutBuffer returns a buffer to the pool; the caller must not use it afterwards.
func PutBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxPooledBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// WriteResponse encodes r. Data is JSON already. Without data (nothing was executed) there is no data member, as
// section 7.1 of the specification requires.
func WriteResponse(b *bytes.Buffer, r *graphql.Response) {
	b.Grow(len(r.Data) + bytes.MinRead) // for the data and for extensions of the usual size
	b.WriteByte('{')
	comma := ""
	if len(r.Errors) > 0 {
		b.WriteString(`"errors":`)
		WriteJSON(b, r.Errors)
		comma = ","
	}
	if r.Data != nil {
		b.WriteString(comma + `"data":`)
		b.Write(r.Data)
		comma = ","
	}
	if len(r.Extensions) > 0 {
		b.WriteString(comma + `"extensions":`)
		WriteJSON(b, r.Extensions)
	}
	b.WriteByte('}')
}

// WriteJSON writes v, or null when it cannot be encoded: other code supplies the values of extensions, and one of them
// must not invalidate the response.
func WriteJSON(b *bytes.Buffer, v any) {
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

// ErrorResponse returns a response that consists of errors.
func ErrorResponse(errs ...*gqlerror.Error) *graphql.Response {
	return &graphql.Response{Errors: errs}
}

// Result is a response of a subscription, already encoded when several subscribers share it.
type Result struct {
	Response *graphql.Response
	encoded  []byte
}

// Failed reports whether the operation was not executed: the result consists of errors.
func (r Result) Failed() bool {
	return r.Response != nil && r.Response.Data == nil && len(r.Response.Errors) > 0
}

// WriteTo encodes the result, unless it already is, and appends it to b.
func (r Result) WriteTo(b *bytes.Buffer) {
	if r.encoded != nil {
		b.Write(r.encoded)
		return
	}
	WriteResponse(b, r.Response)
}
