package graphqlhttp

import (
	"maps"
	"slices"
)

const goneReason = "Forbidden: this account no longer exists"

// Disconnect closes a user's sockets with CloseForbidden, each once its operations under way
// have been answered: the very mutation that asks for this may be one of them. New
// operations are not begun. Streams over HTTP end by themselves.
func (h *Handler) Disconnect(userID string) {
	for _, s := range h.sockets.all() {
		s.leave(userID)
	}
}

func (all *sockets) all() []*socket {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Keys(all.live))
}

// leave begins the end of a socket if it is this user's.
func (s *socket) leave(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if userID == "" || s.who.userID != userID {
		return
	}
	s.leaving = true
	s.leaveWhenIdle()
}

// leaveWhenIdle closes a leaving socket after its last operation; the caller holds mu.
func (s *socket) leaveWhenIdle() {
	if s.leaving && len(s.operations) == 0 {
		s.shut(CloseForbidden, goneReason)
	}
}
