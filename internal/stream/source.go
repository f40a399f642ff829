package stream

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"errand/internal/apperr"

	"github.com/cenkalti/backoff/v5"
)

// Source is a stream of events for one subscriber. MessageStream, TaskStream and ConversationStream implement it; Run
// and GraphQL subscriptions read it. An idle source has no goroutine.
type Source[T any] interface {
	// Pending yields the available events with their dedup keys and returns without waiting for more. Events with
	// equal keys are equal for all subscribers; the event of a nil key is equal to no other. While the loop's body
	// blocks, events may be dropped, and Pending then reads rows instead. Calls must not overlap.
	Pending(ctx context.Context) iter.Seq2[any, T]
	// Err returns, after Pending, why the source has ended: nil if more events may follow, io.EOF if the subscriber has
	// left or the topic is deleted. SERVICE_UNAVAILABLE means that this replica shuts down; other errors come from
	// the database.
	Err() error
	// OnReady sets the function that is called when Pending may have events, at once if it has some already. The
	// function must not block.
	OnReady(ready func())
	// Close ends the subscription.
	Close()
}

var (
	_ Source[MessageEvent] = (*MessageStream)(nil)
	_ Source[*TaskEvent]   = (*TaskStream)(nil)

	_ Source[ConversationEvent] = (*ConversationStream)(nil)
)

// Run calls emit with each event of s, on the caller's goroutine, and closes s in the end. It returns nil when ctx
// ends, emit returns false or s is complete, else the error of s.
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

// keyedEvent is an event that Pending yields. dedupKey is documented at Source.Pending.
type keyedEvent interface{ dedupKey() any }

// source implements Source over a subscription to the hub.
type source[T keyedEvent] struct {
	sub *Subscription
	// initial holds the events that were found when the stream was opened.
	initial []T
	// apply emits the events that follow from a batch. It is called by one goroutine at a time.
	apply func(ctx context.Context, batch Batch, emit func(T)) error
	err   error
}

// Pending implements Source.
func (s *source[T]) Pending(ctx context.Context) iter.Seq2[any, T] {
	return func(yield func(any, T) bool) { s.err = s.yieldPending(ctx, yield) }
}

func (s *source[T]) yieldPending(ctx context.Context, yield func(key any, event T) bool) error {
	left := false
	emit := func(e T) { left = left || !yield(e.dedupKey(), e) }
	for _, e := range s.initial {
		emit(e)
	}
	s.initial = nil
	for !left {
		batch, ok := s.sub.take()
		switch {
		case !ok:
			return nil
		case batch.Ended:
			return errShuttingDown()
		}
		err := s.apply(ctx, batch, emit)
		switch {
		case apperr.CodeOf(err) == apperr.NotFound || ctx.Err() != nil:
			return io.EOF // the topic is deleted or the subscriber has left
		case err != nil:
			return err
		}
	}
	return io.EOF
}

// Err implements Source.
func (s *source[T]) Err() error { return s.err }

// OnReady implements Source.
func (s *source[T]) OnReady(ready func()) { s.sub.onReady(ready, len(s.initial) > 0) }

// Close implements Source.
func (s *source[T]) Close() { s.sub.Close() }

func errShuttingDown() error {
	return apperr.New(apperr.Unavailable, "The server is restarting: subscribe again with your last cursor.")
}

// Retries of a failed read: the delays double and add up to 3.15 seconds.
const (
	minReadDelay = 50 * time.Millisecond
	maxReadTries = 7
)

// readWithRetry retries a failed read, so that a restart of the database does not end every subscription. It gives up
// on NOT_FOUND, when ctx ends, and after maxReadTries.
func readWithRetry[T any](ctx context.Context, read func() (T, error)) (T, error) {
	attempt := func() (T, error) {
		result, err := read()
		if apperr.CodeOf(err) == apperr.NotFound {
			err = backoff.Permanent(err)
		}
		return result, err
	}
	delays := &backoff.ExponentialBackOff{InitialInterval: minReadDelay, MaxInterval: time.Minute, Multiplier: 2}
	return backoff.Retry(ctx, attempt, backoff.WithBackOff(delays), backoff.WithMaxTries(maxReadTries))
}
