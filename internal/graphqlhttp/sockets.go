package graphqlhttp

import "sync"

// sockets are the open WebSockets of a handler.
type sockets struct {
	*gauge
	mu   sync.Mutex
	live map[*socket]struct{}
	down bool
}

func newSockets(sizes Sizes) *sockets {
	return &sockets{gauge: newGauge(sizes.Sockets, sizes.UserSockets), live: map[*socket]struct{}{}}
}

// add registers s; false when the server is stopping.
func (all *sockets) add(s *socket) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.live[s] = struct{}{}
	return !all.down
}

func (all *sockets) remove(s *socket) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.live, s)
}

// closeAll asks every client to come back later.
func (all *sockets) closeAll() {
	all.mu.Lock()
	all.down = true
	all.mu.Unlock()
	for _, s := range all.all() {
		s.close(CloseRestart, restartReason)
	}
}

const restartReason = "service restart, come back"
