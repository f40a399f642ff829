package ws

import (
	"context"
	"slices"

	"errand/internal/graphqlhttp/exec"
)

// operation is an operation in progress on a socket. Its ID is in use until the server has enqueued the last message
// for it, or the client has completed it.
type operation struct {
	id     string
	cancel context.CancelCauseFunc
	// identity is that of the token with which the operation started.
	identity exec.Identity
	// wake makes a subscription notice that its context has ended; nil for queries and mutations.
	wake func()
}

// stop ends the operation; the caller holds the socket's mu.
func (o *operation) stop(cause error) {
	o.cancel(cause)
	if o.wake != nil {
		o.wake()
	}
}

// operationSet holds the operations of a socket. They are few, so that a slice takes less memory than a map.
type operationSet []*operation

func (s operationSet) find(id string) *operation {
	for _, o := range s {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (s operationSet) has(o *operation) bool { return slices.Contains(s, o) }

func (s *operationSet) remove(o *operation) {
	*s = slices.DeleteFunc(*s, func(other *operation) bool { return other == o })
}
