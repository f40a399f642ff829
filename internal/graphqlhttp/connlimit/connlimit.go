// Package connlimit counts open connections, in total and by user, for the WebSockets and the HTTP streams of the
// GraphQL endpoint.
package connlimit

import (
	"context"
	"sync"
)

// Limiter limits open connections. It is safe for concurrent use.
//
// A connection is acquired when it opens, assigned to a user as soon as that is known, and released when it closes.
type Limiter struct {
	mu      sync.Mutex
	max     int
	perUser int
	open    int
	users   map[string]int
	empty   chan struct{} // closed when the last connection is released; nil unless Wait waits
}

// New returns a limiter of maxOpen connections in total (0: no limit) and perUser connections of each user.
func New(maxOpen, perUser int) *Limiter {
	return &Limiter{max: maxOpen, perUser: perUser, users: map[string]int{}}
}

// Acquire counts a connection; false when the limit is reached.
func (l *Limiter) Acquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.max > 0 && l.open >= l.max {
		return false
	}
	l.open++
	return true
}

// Assign counts an acquired connection for a user; false when the user's limit is reached. Anonymous connections ("")
// are not limited by user.
func (l *Limiter) Assign(userID string) bool { return l.Reassign("", userID) }

// Reassign counts a connection of one user for another; false when the other's limit is reached, which changes nothing.
func (l *Limiter) Reassign(from, to string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from == to {
		return true
	}
	if to != "" {
		if l.users[to] >= l.perUser {
			return false
		}
		l.users[to]++
	}
	l.unassign(from)
	return true
}

// unassign takes back Assign; the caller holds mu.
func (l *Limiter) unassign(userID string) {
	if userID == "" {
		return
	}
	if l.users[userID]--; l.users[userID] == 0 {
		delete(l.users, userID)
	}
}

// Release takes back Acquire, and Assign unless userID is "".
func (l *Limiter) Release(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.unassign(userID)
	if l.open == 0 && l.empty != nil {
		close(l.empty)
		l.empty = nil
	}
}

// Wait returns nil when no connection is open, or ctx's error.
func (l *Limiter) Wait(ctx context.Context) error {
	l.mu.Lock()
	if l.open == 0 {
		l.mu.Unlock()
		return nil
	}
	if l.empty == nil {
		l.empty = make(chan struct{})
	}
	empty := l.empty
	l.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
