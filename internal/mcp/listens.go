package mcp

import (
	"context"
	"sync"
	"time"

	"errand/internal/apperr"
)

// listens are the subscriptions that are open on this server.
type listens struct {
	limit int

	mu     sync.Mutex
	byUser map[string]map[*context.CancelFunc]bool
}

func newListens(limit int) *listens {
	return &listens{limit: limit, byUser: map[string]map[*context.CancelFunc]bool{}}
}

// open counts a subscription in; the caller calls done at its end. Beyond the limit it is RATE_LIMITED.
func (l *listens) open(userID string, cancel context.CancelFunc) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.byUser[userID]) >= l.limit {
		return nil, apperr.TooMany(time.Minute, "You have %d subscriptions open; close one first.", l.limit)
	}
	if l.byUser[userID] == nil {
		l.byUser[userID] = map[*context.CancelFunc]bool{}
	}
	key := &cancel
	l.byUser[userID][key] = true
	return func() { l.close(userID, key) }, nil
}

func (l *listens) close(userID string, key *context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byUser[userID], key)
	if len(l.byUser[userID]) == 0 {
		delete(l.byUser, userID)
	}
}

// Disconnect ends a person's subscriptions: the account is gone.
func (s *Server) Disconnect(userID string) {
	s.listens.mu.Lock()
	defer s.listens.mu.Unlock()
	for cancel := range s.listens.byUser[userID] {
		(*cancel)()
	}
}
