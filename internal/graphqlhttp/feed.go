package graphqlhttp

import "context"

// Feed is a subscription's source of events that needs no goroutine while nothing
// happens. It tells by a function call that there may be something new, and the transport
// then comes for it on a goroutine that it borrows for the purpose.
type Feed[T any] interface {
	// Drain passes everything that is at hand to emit, oldest first, and returns without
	// waiting for more. It returns done when nothing will ever come again, with an error
	// if that is none of the subscriber's doing. emit may block while the client reads
	// slowly, and returns false when the subscriber has left. Calls do not overlap.
	//
	// Equal keys say that two events look the same to every subscriber with the same
	// document, variables and user: the transport executes and encodes one for all. A key
	// must be comparable; nil is equal to nothing.
	Drain(ctx context.Context, emit func(key any, event T) bool) (done bool, err error)
	// OnWake sets what to call when Drain may have something new. The function does not
	// block and may be called from anywhere, also before OnWake returns. It is called
	// only once after several events at least.
	OnWake(wake func())
	// Close releases the feed; it is called once, when no Drain is under way.
	Close()
}

// Subscribe gives a resolver the channel to return for a feed.
func Subscribe[T any](ctx context.Context, feed Feed[T]) <-chan T {
	events := make(chan T, 1)
	f := &adapter[T]{feed: feed, events: events}
	if s, ok := ctx.Value(slotKey{}).(*slot); ok {
		s.source = f
		return events
	}
	go f.pump(ctx)
	return events
}

// source is a Feed whose events go into a channel, so that it needs no type parameter.
type source interface {
	drain(ctx context.Context, send func(key any, put func()) bool) (done bool, err error)
	onWake(wake func())
	close()
}

// slot is where Subscribe leaves the source for the transport that started the operation.
type slot struct{ source source }

type slotKey struct{}

// withSlot gives the resolver's context a place for a source.
func withSlot(ctx context.Context) (context.Context, *slot) {
	s := &slot{}
	return context.WithValue(ctx, slotKey{}, s), s
}

type adapter[T any] struct {
	feed   Feed[T]
	events chan T
}

// drain lets send decide whether the event needs to be executed: put makes it the next
// one that the executor takes from the channel.
func (a *adapter[T]) drain(ctx context.Context, send func(key any, put func()) bool) (bool, error) {
	return a.feed.Drain(ctx, func(key any, event T) bool {
		return send(key, func() { a.events <- event })
	})
}

func (a *adapter[T]) onWake(wake func()) { a.feed.OnWake(wake) }

func (a *adapter[T]) close() { a.feed.Close() }

// pump serves an executor that knows nothing of slots, as any resolver does. There an
// early end cannot be told from a complete stream.
func (a *adapter[T]) pump(ctx context.Context) {
	defer close(a.events)
	defer a.feed.Close()
	woken := make(chan struct{}, 1)
	a.feed.OnWake(func() { signal(woken) })
	for {
		done, _ := a.feed.Drain(ctx, func(_ any, event T) bool {
			select {
			case a.events <- event:
				return true
			case <-ctx.Done():
				return false
			}
		})
		if done || ctx.Err() != nil {
			return
		}
		select {
		case <-woken:
		case <-ctx.Done():
			return
		}
	}
}

// signal leaves a signal unless there is one already.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
