package stream

import "context"

// Feed is what both followers are.
type Feed[T any] interface {
	Drain(ctx context.Context, emit func(key any, event T) bool) (done bool, err error)
	OnWake(wake func())
	Close()
}

// Run gives a feed a goroutine of its own, the caller's: it tells all that happens until ctx
// ends or emit returns false (nil), or the feed is done, and closes the feed.
func Run[T any](ctx context.Context, f Feed[T], emit func(T) bool) error {
	defer f.Close()
	woken := make(chan struct{}, 1)
	f.OnWake(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	for {
		select {
		case <-woken:
		case <-ctx.Done():
			return nil
		}
		if done, err := f.Drain(ctx, func(_ any, e T) bool { return emit(e) }); done {
			return err
		}
	}
}
