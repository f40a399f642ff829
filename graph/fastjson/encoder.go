// Package fastjson writes the JSON of selections whose fields are only read from Go values in memory.
//
// gqlgen's own code creates a context and a marshaler for every field of every row. A selection in which no field has
// a resolver, can fail or is deferred does not need them: an encoder is made once per selection and writes each row
// into one buffer. In a selection that contains another field, gqlgen resolves the fields of that object, and fastjson
// those of the objects below it where it can.
//
// graph/gen generates a function per object type that returns the FieldWriter of a selected field, and inserts the
// calls of Marshal into gqlgen's code. The response has the same members in the same order as gqlgen's, the same values
// and the same errors; a test compares them for random documents.
package fastjson

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// FieldWriter writes the value of one field of obj. It returns false if the value is null but the schema does not
// allow null; gqlgen then resolves the object again and reports the error.
type FieldWriter[T any] func(b *bytes.Buffer, obj T) bool

// fieldWriters returns the writer of a selected field, or nil if only gqlgen can resolve the field.
type fieldWriters[T any] func(field graphql.CollectedField) FieldWriter[T]

// encoder writes objects according to one selection.
type encoder[T any] struct {
	fields []encodedField[T]
	budget *Budget
}

type encodedField[T any] struct {
	key   string // `{"alias":` for the first field, else `,"alias":`
	write FieldWriter[T]
}

// newEncoder returns the encoder of a selection, or nil if the selection is empty or has a field that only gqlgen can
// resolve.
func newEncoder[T any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers fieldWriters[T],
) *encoder[T] {
	fields := graphql.CollectFields(op, sel, implementors)
	if len(fields) == 0 {
		return nil
	}
	e := &encoder[T]{fields: make([]encodedField[T], len(fields)), budget: budgetOf(op)}
	for i, f := range fields {
		write := writers(f)
		if write == nil || len(f.Deferrables) > 0 {
			return nil
		}
		prefix := `,"`
		if i == 0 {
			prefix = `{"`
		}
		e.fields[i] = encodedField[T]{key: prefix + f.Alias + `":`, write: write}
	}
	return e
}

// encoderCache holds the encoders of an operation, which are the same for all objects of a list.
type encoderCache struct {
	mu       sync.Mutex
	encoders map[encoderKey]any
}

// encoderKey identifies the selection of an object type. gqlgen collects the fields of an operation once, so that a
// selection keeps its address.
type encoderKey struct {
	first  *ast.Selection
	length int
	object *string
}

// cachedEncoder is newEncoder with the cache of the operation's budget, which also has the selections without an
// encoder.
func cachedEncoder[T any](
	op *graphql.OperationContext,
	budget *Budget,
	sel ast.SelectionSet,
	implementors []string,
	writers fieldWriters[T],
) *encoder[T] {
	if budget == nil || len(sel) == 0 || len(implementors) == 0 {
		return newEncoder(op, sel, implementors, writers)
	}
	key, c := encoderKey{&sel[0], len(sel), &implementors[0]}, &budget.encoders
	c.mu.Lock()
	cached, ok := c.encoders[key].(*encoder[T])
	c.mu.Unlock()
	if ok {
		return cached
	}
	e := newEncoder(op, sel, implementors, writers)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoders == nil {
		c.encoders = map[encoderKey]any{}
	}
	c.encoders[key] = e
	return e
}

// encode writes obj. It returns false if a field is null but must not be, or if the budget is exceeded.
func (e *encoder[T]) encode(b *bytes.Buffer, obj T) bool {
	for i := range e.fields {
		b.WriteString(e.fields[i].key)
		if !e.fields[i].write(b, obj) || !e.budget.fits(b.Len()) {
			return false
		}
	}
	b.WriteByte('}')
	return true
}

// buffers are reused, because they have grown to a useful size. Larger ones than maxPooledBuffer are not kept.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooledBuffer = 64 << 10

// Marshal returns the JSON of obj. It returns nil if gqlgen must resolve the object: because obj is nil, because the
// selection has a field without a writer, or because of a null that gqlgen reports as an error. If the response budget
// is exceeded it returns null, since the response will be discarded.
func Marshal[T any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*T],
	obj *T,
) graphql.Marshaler {
	budget := budgetOf(op)
	if budget.Exceeded() {
		return rawJSON("null")
	}
	if obj == nil || budget != nil && budget.disabled {
		return nil
	}
	e := cachedEncoder(op, budget, sel, implementors, writers)
	if e == nil {
		return nil
	}
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	complete := e.encode(b, obj)
	if tooLarge := !budget.fits(b.Len()); complete || tooLarge {
		if !budget.Take(b.Len()) {
			return rawJSON("null")
		}
	}
	pooled := b.Cap() <= maxPooledBuffer
	if pooled {
		defer buffers.Put(b)
	}
	switch {
	case !complete:
		return nil
	case pooled:
		return rawJSON(append(budget.allocate(b.Len()), b.Bytes()...))
	default:
		return rawJSON(b.Bytes())
	}
}

// Object returns the writer of a field that is one object, which get reads from its parent. It returns nil if the
// selection of the object has a field that only gqlgen can resolve.
func Object[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*C],
	nonNull bool,
	get func(P) *C,
) FieldWriter[P] {
	e := newEncoder(op, sel, implementors, writers)
	if e == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		child := get(obj)
		if child == nil {
			return Null(b, nonNull)
		}
		return e.encode(b, child)
	}
}

// List returns the writer of a field that is a list of non-null objects, which get reads from their parent. It returns
// nil if the selection of the objects has a field that only gqlgen can resolve.
func List[P, C any](
	op *graphql.OperationContext,
	sel ast.SelectionSet,
	implementors []string,
	writers func(graphql.CollectedField) FieldWriter[*C],
	get func(P) []*C,
) FieldWriter[P] {
	e := newEncoder(op, sel, implementors, writers)
	if e == nil {
		return nil
	}
	return func(b *bytes.Buffer, obj P) bool {
		b.WriteByte('[')
		for i, child := range get(obj) {
			if i > 0 {
				b.WriteByte(',')
			}
			if child == nil || !e.encode(b, child) {
				return false
			}
		}
		b.WriteByte(']')
		return true
	}
}

// MarshalList marshals the elements of a list one after the other. Each element's context has its index in the path.
// It replaces graphql.MarshalSliceConcurrently in gqlgen's code.
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

// rawJSON is encoded JSON.
type rawJSON []byte

// MarshalGQL implements graphql.Marshaler.
func (j rawJSON) MarshalGQL(w io.Writer) { _, _ = w.Write(j) }
