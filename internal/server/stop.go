package server

import (
	"context"
	"errors"
	"time"
)

// stopStep is a step of Stop.
type stopStep struct {
	name string
	// share is the step's share of the time that is left, in relation to the shares of the steps after it.
	share int
	stop  func(context.Context) error
}

// onStop registers a step of Stop. stop returns soon after its context has ended, and then has ended by force what was
// left; one that takes no context is abandoned at that time.
func (s *Server) onStop(name string, share int, stop func(context.Context) error) {
	s.stopSteps = append(s.stopSteps, stopStep{name: name, share: share, stop: stop})
}

// Stop stops everything in reverse start order: the run engine, which hands runs over to other replicas; WebSockets;
// streams; HTTP requests; the database. ctx limits the wait: each step has its share of the time, unused time is left
// to later steps, and what does not end in time is ended by force, which is not an error. A second call does nothing.
func (s *Server) Stop(ctx context.Context) error {
	shares := 0
	for _, step := range s.stopSteps {
		shares += step.share
	}
	var errs []error
	for i := len(s.stopSteps) - 1; i >= 0; i-- {
		step := s.stopSteps[i]
		errs = append(errs, s.runStopStep(ctx, step, shares))
		shares -= step.share
	}
	s.stopSteps = nil
	return errors.Join(errs...)
}

// runStopStep executes a step, which has step.share of the remaining shares.
func (s *Server) runStopStep(ctx context.Context, step stopStep, shares int) error {
	var abandon <-chan time.Time
	if deadline, limited := ctx.Deadline(); limited {
		share := time.Until(deadline) * time.Duration(step.share) / time.Duration(shares)
		abandon = time.After(share)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, share*9/10) // the rest is for the end by force
		defer cancel()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- step.stop(ctx) }()
	var err error
	select {
	case err = <-stopped:
	case <-abandon:
		err = context.DeadlineExceeded
	}
	if ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		s.Log.Warn("shutdown: a step took too long and was ended by force", "step", step.name, "error", err)
		return nil
	}
	return err
}
