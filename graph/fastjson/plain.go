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

// Write writes one field of obj; false means null where the schema allows none.
type Write[T any] func(b *bytes.Buffer, obj T) bool

// find says how a selected field is written; nil when a plan cannot write it.
type find[T any] func(field graphql.CollectedField) Write[T]

type step[T any] struct {
	key   string // `{"alias":` or `,"alias":`
	write Write[T]
}

// plan writes a whole selection, as long as there is room for it.
type plan[T any] struct {
	steps []step[T]
	room  *Room
}

// compile makes a selection's plan; nil when one of its fields needs gqlgen.
func compile[T any](op *graphql.OperationContext, sel ast.SelectionSet, implementors []string, how find[T]) *plan[T] {
	fields := graphql.CollectFields(op, sel, implementors)
	if len(fields) == 0 {
		return nil
	}
	p := &plan[T]{steps: make([]step[T], len(fields)), room: roomOf(op)}
	for i, f := range fields {
		write := how(f)
		if write == nil || len(f.Deferrables) > 0 {
			return nil
		}
		mark := `,"`
		if i == 0 {
			mark = `{"`
		}
		p.steps[i] = step[T]{key: mark + f.Alias + `":`, write: write}
	}
	return p
}

// write is false when a null stands where none may, or when b is larger than the room.
func (p *plan[T]) write(b *bytes.Buffer, obj T) bool {
	for i := range p.steps {
		b.WriteString(p.steps[i].key)
		if !p.steps[i].write(b, obj) || !p.room.fits(b.Len()) {
			return false
		}
	}
	b.WriteByte('}')
	return true
}

// scratch buffers have grown already: what is written is copied once, to its size.
// One that grew large is left to the collector.
var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptScratch = 64 << 10

// Marshal writes obj by a plan; nil when gqlgen must do it, which also reports what is wrong.
// Without room the value does not matter any more.
func Marshal[T any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	how func(graphql.CollectedField) Write[*T],
	obj *T,
) graphql.Marshaler {
	room := roomOf(op)
	if room.Full() {
		return written("null")
	}
	p := compile(op, sel, implementors, how)
	if p == nil || obj == nil || room != nil && room.off {
		return nil
	}
	b := scratch.Get().(*bytes.Buffer)
	b.Reset()
	complete := p.write(b, obj)
	if (complete || !room.fits(b.Len())) && !room.Take(b.Len()) {
		return written("null")
	}
	if b.Cap() > keptScratch {
		return whole(b.Bytes(), complete)
	}
	defer scratch.Put(b)
	return whole(bytes.Clone(b.Bytes()), complete)
}

// whole is what was written, or nil when it was not written to the end.
func whole(text []byte, complete bool) graphql.Marshaler {
	if !complete {
		return nil
	}
	return written(text)
}

// Object plans a field that is one object.
func Object[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	how func(graphql.CollectedField) Write[*C],
	nonNull bool,
	get func(P) *C,
) Write[P] {
	p := compile(op, sel, implementors, how)
	if p == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		child := get(obj)
		if child == nil {
			return Null(b, nonNull)
		}
		return p.write(b, child)
	}
}

// List plans a field that is a list of objects, none of them null.
func List[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	how func(graphql.CollectedField) Write[*C],
	get func(P) []*C,
) Write[P] {
	p := compile(op, sel, implementors, how)
	if p == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		b.WriteByte('[')
		for i, child := range get(obj) {
			if i > 0 {
				b.WriteByte(',')
			}
			if child == nil || !p.write(b, child) {
				return false
			}
		}
		b.WriteByte(']')
		return true
	}
}

// Sequence marshals a list one element after the other, each with its place in the path.
func Sequence(
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

// written is a value that is JSON already.
type written []byte

// MarshalGQL implements graphql.Marshaler.
func (w written) MarshalGQL(out io.Writer) { _, _ = out.Write(w) }

// Null writes null where it may stand.
func Null(b *bytes.Buffer, nonNull bool) bool {
	b.WriteString("null")
	return !nonNull
}

// Int writes a number.
func Int(b *bytes.Buffer, v int) { b.Write(strconv.AppendInt(b.AvailableBuffer(), int64(v), 10)) }

// Bool writes true or false.
func Bool(b *bytes.Buffer, v bool) { b.Write(strconv.AppendBool(b.AvailableBuffer(), v)) }
