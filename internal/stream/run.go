package stream

import (
	"context"
	"errors"
	"io"
	"iter"
)

// Source is what both followers implement; a GraphQL subscription and Run take one.
type Source[T any] interface {
	Pending(ctx context.Context) iter.Seq2[any, T]
	Err() error
	OnReady(ready func())
	Close()
}

// Run passes the events of s to emit on the caller's goroutine until ctx ends, emit returns false, or s is complete
// (nil), or s fails (its error), and closes s.
func Run[T any](ctx context.Context, s Source[T], emit func(T) bool) error {
	defer s.Close()
	ready := make(chan struct{}, 1)
	s.OnReady(func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	})
	for {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		}
		for _, e := range s.Pending(ctx) {
			if !emit(e) {
				return nil
			}
		}
		switch err := s.Err(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
