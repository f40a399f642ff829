package graphqlhttp

import (
	"context"
	"errors"
	"io"
	"sync"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// drive brings the events of one source to one subscriber. While nothing happens it is
// memory and nothing else.
type drive struct {
	op     *operation
	ctx    context.Context
	source source
	next   func(context.Context) *graphql.Response
	// twin identifies subscriptions that see the same; see shares.
	twin twin
	// deliver passes a response on; false when the subscriber is gone.
	deliver func(reply) bool
	// ended is called once, at the end: with nil when the source has no more events or
	// the subscriber has left.
	ended func(code apperr.Code, failure *gqlerror.Error)

	mu      sync.Mutex
	running bool
	again   bool
	over    bool
	code    apperr.Code // of the first error; only the running goroutine uses it
}

// begin lets the source tell what it holds already, and wake the drive from then on.
func (d *drive) begin() {
	d.op.engine.shares.join(d.twin)
	d.source.onReady(d.wake)
	d.wake()
}

// wake sees that somebody drains the source after this moment, and does not block.
func (d *drive) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.again = true
	if !d.running && !d.over {
		d.running = true
		go d.run()
	}
}

// run drains as long as there is something, then goes.
func (d *drive) run() {
	for d.turn() {
		done, err := d.drain()
		if done || err != nil || d.ctx.Err() != nil {
			d.end(err)
			return
		}
	}
}

// turn takes note of a wake-up; false when there was none since the last drain.
func (d *drive) turn() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running, d.again = d.again, false
	return d.running
}

// drain brings the pending events to the subscriber. It is done with a nil error when the source is complete or the
// subscriber has left.
func (d *drive) drain() (done bool, err error) {
	defer d.op.catch(d.ctx, func(r *graphql.Response) {
		d.pass(reply{response: r})
		done = true
	})
	for key, put := range d.source.pending(d.ctx) {
		if !d.send(key, put) {
			return true, nil
		}
	}
	if err := d.source.err(); !errors.Is(err, io.EOF) {
		return err != nil, err
	}
	return true, nil
}

// send brings one event to the subscriber, by executing it unless a twin just has.
func (d *drive) send(key any, put func()) bool {
	if d.ctx.Err() != nil {
		return false
	}
	r, ok := d.op.engine.shares.once(d.ctx, d.twin, key, func() reply {
		put()
		return reply{response: d.next(d.ctx)}
	})
	return ok && d.pass(r)
}

func (d *drive) pass(r reply) bool {
	if r.response == nil && r.encoded == nil {
		return false
	}
	if d.code == "" && r.response != nil {
		d.code = codeOf(r.response.Errors)
	}
	return d.deliver(r)
}

func (d *drive) end(err error) {
	d.mu.Lock()
	d.over = true
	d.mu.Unlock()
	d.op.engine.shares.leave(d.twin)
	d.source.close()
	var failure *gqlerror.Error
	if err != nil && d.ctx.Err() == nil {
		failure = d.op.engine.options.ErrorPresenter(d.ctx, err)
	}
	if failure != nil && d.code == "" {
		d.code = codeOf(gqlerror.List{failure})
	}
	d.ended(d.code, failure)
}
