package exec

import (
	"context"
	"iter"

	"github.com/99designs/gqlgen/graphql"
)

// Source is where the events of a subscription come from. An idle source needs no goroutine: it calls a function
// when it has events, and the subscription then takes them on a goroutine that ends when none are left.
//
// Its methods use types of the standard library only, so that an implementation need not import this package.
type Source[T any] interface {
	// Pending yields the events at hand with their dedup keys, oldest first, and ends without waiting for more.
	// The loop's body may block while the client reads slowly, and breaks when the subscriber has left.
	// Iterations do not overlap.
	//
	// Two events with equal keys look the same to all subscribers of the same user with the same document and
	// variables, so that the server executes and encodes one for all. A key must be comparable; nil means that
	// the event is never shared.
	Pending(ctx context.Context) iter.Seq2[any, T]
	// Err reports, after Pending, whether the source has ended: nil means that more events may come, io.EOF that
	// it is complete. Any other error is presented to the client.
	Err() error
	// OnReady sets the function that is called when Pending may have something new. The function does not block,
	// may be called from any goroutine, also before OnReady returns, and at least once after one or more events.
	OnReady(ready func())
	// Close releases the source. It is called once, when no iteration is in progress.
	Close()
}

// sourceExtension is the key under which Subscribe stores the source in the operation's statistics.
const sourceExtension = "errand.source"

// Subscribe returns the channel that the resolver of a subscription returns for a source. The channel carries one
// event at a time, from the subscription pump to gqlgen's executor. ctx must be the resolver's context.
func Subscribe[T any](ctx context.Context, s Source[T]) <-chan T {
	events := make(chan T, 1)
	graphql.GetOperationContext(ctx).Stats.SetExtension(sourceExtension, &channelSource[T]{source: s, events: events})
	return events
}

// source is a Source whose events go into a channel, so that it needs no type parameter.
type source interface {
	// pending yields the dedup key of each event and a function that makes it the next one that the executor
	// receives. An event that is not executed is skipped by not calling the function.
	pending(ctx context.Context) iter.Seq2[any, func()]
	err() error
	onReady(ready func())
	close()
}

// sourceOf returns the source that the resolver passed to Subscribe; nil when the resolver failed.
func sourceOf(op *graphql.OperationContext) source {
	s, _ := op.Stats.GetExtension(sourceExtension).(source)
	return s
}

type channelSource[T any] struct {
	source Source[T]
	events chan T
}

func (c *channelSource[T]) pending(ctx context.Context) iter.Seq2[any, func()] {
	return func(yield func(any, func()) bool) {
		for key, event := range c.source.Pending(ctx) {
			if !yield(key, func() { c.events <- event }) {
				return
			}
		}
	}
}

func (c *channelSource[T]) err() error           { return c.source.Err() }
func (c *channelSource[T]) onReady(ready func()) { c.source.OnReady(ready) }
func (c *channelSource[T]) close()               { c.source.Close() }
