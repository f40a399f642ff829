package mcp

import (
	"context"
	"sync"
	"time"

	"errand/internal/apperr"
)

// maxSubscriptions is the maximum number of open subscriptions on this replica. Each takes about 100 kB of memory.
const maxSubscriptions = 1000

// subscriptionLimiter counts the open subscriptions on this replica, in total and of each user.
type subscriptionLimiter struct {
	limit int

	mu     sync.Mutex
	total  int
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
	if l.total >= maxSubscriptions {
		return nil, apperr.TooMany(time.Minute, "Too many subscriptions are open on this server.")
	}
	l.total++
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
	l.total--
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
