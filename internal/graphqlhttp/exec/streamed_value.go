package exec

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strconv"
	"sync"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
)

// StreamedValue is a JSON value that is too large to be held in memory.
type StreamedValue interface {
	// Write writes the value. It is called at most once.
	Write(ctx context.Context, w io.Writer) error
	// Close releases what the value holds, after Write or without it. It may be called more than once.
	Close()
}

// streamedKey is the key of an operation's streamedValues among its extensions.
const streamedKey = "errand.streamed_values"

// streamedValues are the streamed values of an operation. The response contains a placeholder for each, a random
// string, until it is written.
type streamedValues struct {
	mu sync.Mutex
	// enabled means that the response is written piece by piece.
	enabled bool
	// maxBytes is the maximum size of a value in a response that is written as a whole.
	maxBytes int
	values   []placedValue
}

// placedValue is a value with its placeholder, and the context of its resolver.
type placedValue struct {
	StreamedValue
	placeholder string
	ctx         context.Context
}

// StreamJSON returns the text that the resolver of a field of the scalar type JSON returns for a value. In a single
// response over HTTP it is a placeholder, in whose place the value is written while the response is sent. Elsewhere it
// is the value itself, which then must fit a response.
func StreamJSON(ctx context.Context, v StreamedValue) (string, error) {
	s, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(streamedKey).(*streamedValues)
	if s == nil || !s.enabled {
		defer v.Close()
		return s.buffer(ctx, v)
	}
	text := strconv.Quote("streamed:" + rand.Text())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values = append(s.values, placedValue{v, text, context.WithoutCancel(ctx)})
	return text, nil
}

// errTooLarge is the error of a limitedBuffer that is full.
var errTooLarge = errors.New("the value exceeds the limit of a response")

// limitedBuffer is a buffer of at most max bytes.
type limitedBuffer struct {
	bytes.Buffer
	max int
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.max {
		return 0, errTooLarge
	}
	return b.Buffer.Write(p)
}

func (s *streamedValues) buffer(ctx context.Context, v StreamedValue) (string, error) {
	b := limitedBuffer{max: Options{}.WithDefaults().ResponseBytes}
	if s != nil {
		b.max = s.maxBytes
	}
	err := v.Write(ctx, &b)
	if errors.Is(err, errTooLarge) {
		return "", apperr.New(apperr.ComplexityLimit, "The value has more than %d bytes, which is the limit "+
			"\"responseBytes\" here; request it over HTTP, without streaming and without @defer.", b.max)
	}
	return b.String(), err
}

// StreamValues lets the operation's response contain streamed values. The caller writes the response with
// WriteStreamed, and calls CloseStreamed at the end in any case.
func (op *Operation) StreamValues() {
	if op.streamed != nil {
		op.streamed.enabled = true
	}
}

// HasStreamed reports whether the response contains streamed values.
func (op *Operation) HasStreamed() bool { return op.streamed != nil && len(op.streamed.values) > 0 }

// WriteStreamed writes an encoded response with the streamed values in their places. After an error, which is logged
// unless the client has left, the response is incomplete. The end of ctx ends the writing of a value.
func (op *Operation) WriteStreamed(ctx context.Context, w io.Writer, encoded []byte) error {
	for _, v := range op.streamed.values {
		before, after, found := bytes.Cut(encoded, []byte(v.placeholder))
		if !found { // an error in another field has removed it
			continue
		}
		if _, err := w.Write(before); err != nil {
			return err
		}
		out := &trackedWriter{Writer: w}
		if err := v.writeUntil(ctx, out); err != nil {
			if ctx.Err() == nil && !out.failed {
				_ = op.engine.options.ErrorPresenter(v.ctx, err) // it logs the error; the response has begun
			}
			return err
		}
		encoded = after
	}
	_, err := w.Write(encoded)
	return err
}

// trackedWriter records that a write failed.
type trackedWriter struct {
	io.Writer
	failed bool
}

// Write implements io.Writer.
func (w *trackedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.failed = w.failed || err != nil
	return n, err
}

func (v placedValue) writeUntil(ctx context.Context, w io.Writer) error {
	value, cancel := context.WithCancel(v.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return v.Write(value, w)
}

// CloseStreamed closes the streamed values.
func (op *Operation) CloseStreamed() {
	if op.streamed == nil {
		return
	}
	for _, v := range op.streamed.values {
		v.Close()
	}
}
