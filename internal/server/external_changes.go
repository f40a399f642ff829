package server

import (
	"context"
	"time"

	"errand/internal/store"
)

// externalChangesInterval is how often a SQLite file is checked for commits of other processes, such as "errand mcp".
const externalChangesInterval = 250 * time.Millisecond

// watchExternalChanges makes the subscribers read their rows when another process has committed to the SQLite file. It
// takes the place of the bus, and costs nothing while there are no subscribers.
func (s *Server) watchExternalChanges() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.onStop("polling of changes", 1, func(context.Context) error { cancel(); <-done; return nil })
	go func() {
		defer close(done)
		s.pollExternalChanges(ctx)
	}()
}

func (s *Server) pollExternalChanges(ctx context.Context) {
	changes := store.DetectExternalChanges(s.DB)
	ticker := time.NewTicker(externalChangesInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.Hub.Subscribers() == 0 {
			continue
		}
		changed, err := changes.Detected(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.WarnContext(ctx, "checking for changes of other processes failed", "error", err)
		case changed:
			s.Hub.Resync()
		}
	}
}
