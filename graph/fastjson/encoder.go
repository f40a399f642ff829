// Package fastjson writes selections that only read values of rows already in memory.
// gqlgen takes a step with a context and a marshaler for every field of every row;
// where no field can fail, wait or be deferred, that work has no use, and a plan
// made once a selection writes all its rows straight into one buffer.
package fastjson

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// FieldWriter writes one field of obj; false means null where the schema allows none.
type FieldWriter[T any] func(b *bytes.Buffer, obj T) bool

// fieldWriters says how a selected field is written; nil when a plan cannot write it.
type fieldWriters[T any] func(field graphql.CollectedField) FieldWriter[T]

type encodedField[T any] struct {
	key   string // `{"alias":` or `,"alias":`
	write FieldWriter[T]
}

// encoder writes a whole selection, as long as there is room for it.
type encoder[T any] struct {
	fields []encodedField[T]
	budget *Budget
}

// newEncoder makes a selection's plan; nil when one of its fields needs gqlgen.
func newEncoder[T any](op *graphql.OperationContext, sel ast.SelectionSet, implementors []string, writers fieldWriters[T]) *encoder[T] {
	fields := graphql.CollectFields(op, sel, implementors)
	if len(fields) == 0 {
		return nil
	}
	p := &encoder[T]{fields: make([]encodedField[T], len(fields)), budget: budgetOf(op)}
	for i, f := range fields {
		write := writers(f)
		if write == nil || len(f.Deferrables) > 0 {
			return nil
		}
		mark := `,"`
		if i == 0 {
			mark = `{"`
		}
		p.fields[i] = encodedField[T]{key: mark + f.Alias + `":`, write: write}
	}
	return p
}

// encode is false when a null stands where none may, or when b is larger than the room.
func (p *encoder[T]) encode(b *bytes.Buffer, obj T) bool {
	for i := range p.fields {
		b.WriteString(p.fields[i].key)
		if !p.fields[i].write(b, obj) || !p.budget.fits(b.Len()) {
			return false
		}
	}
	b.WriteByte('}')
	return true
}

// buffers buffers have grown already: what is written is copied once, to its size.
// One that grew large is left to the collector.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooledBuffer = 64 << 10

// Marshal writes obj by a plan; nil when gqlgen must do it, which also reports what is wrong.
// Without room the value does not matter any more.
func Marshal[T any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*T],
	obj *T,
) graphql.Marshaler {
	room := budgetOf(op)
	if room.Exceeded() {
		return rawJSON("null")
	}
	p := newEncoder(op, sel, implementors, writers)
	if p == nil || obj == nil || room != nil && room.disabled {
		return nil
	}
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	complete := p.encode(b, obj)
	if (complete || !room.fits(b.Len())) && !room.Take(b.Len()) {
		return rawJSON("null")
	}
	if b.Cap() > maxPooledBuffer {
		return whole(b.Bytes(), complete)
	}
	defer buffers.Put(b)
	return whole(bytes.Clone(b.Bytes()), complete)
}

// whole is what was written, or nil when it was not written to the end.
func whole(text []byte, complete bool) graphql.Marshaler {
	if !complete {
		return nil
	}
	return rawJSON(text)
}

// Object plans a field that is one object.
func Object[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*C],
	nonNull bool,
	get func(P) *C,
) FieldWriter[P] {
	p := newEncoder(op, sel, implementors, writers)
	if p == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		child := get(obj)
		if child == nil {
			return Null(b, nonNull)
		}
		return p.encode(b, child)
	}
}

// List plans a field that is a list of objects, none of them null.
func List[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*C],
	get func(P) []*C,
) FieldWriter[P] {
	p := newEncoder(op, sel, implementors, writers)
	if p == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		b.WriteByte('[')
		for i, child := range get(obj) {
			if i > 0 {
				b.WriteByte(',')
			}
			if child == nil || !p.encode(b, child) {
				return false
			}
		}
		b.WriteByte(']')
		return true
	}
}

// MarshalList marshals a list one element after the other, each with its place in the path.
func MarshalList(
	ctx context.Context,
	length int,
	element func(ctx context.Context, i int) graphql.Marshaler,
) graphql.Array {
	out := make(graphql.Array, length)
	for i := range length {
		out[i] = element(graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &i}), i)
	}
	return out
}

// rawJSON is a value that is JSON already.
type rawJSON []byte

// MarshalGQL implements graphql.Marshaler.
func (w rawJSON) MarshalGQL(out io.Writer) { _, _ = out.Write(w) }

// Null writes null where it may stand.
func Null(b *bytes.Buffer, nonNull bool) bool {
	b.WriteString("null")
	return !nonNull
}

// Int writes a number.
func Int(b *bytes.Buffer, v int) { b.Write(strconv.AppendInt(b.AvailableBuffer(), int64(v), 10)) }

// Bool writes true or false.
func Bool(b *bytes.Buffer, v bool) { b.Write(strconv.AppendBool(b.AvailableBuffer(), v)) }
