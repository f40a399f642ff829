package mcp

import (
	"context"
	"sync"
	"time"

	"errand/internal/apperr"
)

// subscriptionLimiter counts the open subscriptions of each user on this replica.
type subscriptionLimiter struct {
	limit int

	mu     sync.Mutex
	byUser map[string]map[*context.CancelFunc]bool
}

func newSubscriptionLimiter(limit int) *subscriptionLimiter {
	return &subscriptionLimiter{limit: limit, byUser: map[string]map[*context.CancelFunc]bool{}}
}

// open registers a subscription. The caller calls done at its end. Above the limit it returns RATE_LIMITED.
func (l *subscriptionLimiter) open(userID string, cancel context.CancelFunc) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.byUser[userID]) >= l.limit {
		return nil, apperr.TooMany(time.Minute, "At most %d subscriptions may be open at once; close one first.", l.limit)
	}
	if l.byUser[userID] == nil {
		l.byUser[userID] = map[*context.CancelFunc]bool{}
	}
	key := &cancel
	l.byUser[userID][key] = true
	return func() { l.close(userID, key) }, nil
}

func (l *subscriptionLimiter) close(userID string, key *context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byUser[userID], key)
	if len(l.byUser[userID]) == 0 {
		delete(l.byUser, userID)
	}
}

// Disconnect ends the subscriptions of a user whose account was deleted.
func (s *Server) Disconnect(userID string) {
	s.subscriptions.mu.Lock()
	defer s.subscriptions.mu.Unlock()
	for cancel := range s.subscriptions.byUser[userID] {
		(*cancel)()
	}
}
