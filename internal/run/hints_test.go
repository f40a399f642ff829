package run

import (
	"context"

	"errand/ent/rule"
)

func system() context.Context { return rule.System(context.Background()) }

// hints is a Signals whose calls a test can wait for, and which may reach another engine as a bus would.
type hints struct {
	wakes   chan struct{}
	cancels chan string
	peer    *Engine
}

func newHints() *hints {
	return &hints{wakes: make(chan struct{}, 1000), cancels: make(chan string, 1000)}
}

func (h *hints) NotifyQueued() {
	h.wakes <- struct{}{}
	if h.peer != nil {
		h.peer.WakeLocal()
	}
}

func (h *hints) NotifyCancelled(runID string) {
	h.cancels <- runID
	if h.peer != nil {
		h.peer.CancelLocal(runID)
	}
}
