package graphqlhttp

import (
	"context"
	"sync"
)

// gauge counts what is open, in all and by user, and lets Shutdown wait for the last.
type gauge struct {
	mu      sync.Mutex
	limit   int
	perUser int
	open    int
	users   map[string]int
	empty   chan struct{} // closed when the last one leaves; nil unless somebody waits
}

func newGauge(limit, perUser int) *gauge {
	return &gauge{limit: limit, perUser: perUser, users: map[string]int{}}
}

// enter counts one more, or says that there is no room.
func (g *gauge) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit > 0 && g.open >= g.limit {
		return false
	}
	g.open++
	return true
}

// leave takes back enter, and join if the user is not "".
func (g *gauge) leave(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if user != "" {
		if g.users[user]--; g.users[user] == 0 {
			delete(g.users, user)
		}
	}
	if g.open == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// join says whose the one that entered is, or that this user has no room. Nobody ("")
// always has.
func (g *gauge) join(user string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if user == "" {
		return true
	}
	if g.users[user] >= g.perUser {
		return false
	}
	g.users[user]++
	return true
}

// wait returns when nothing is open, or with ctx's error.
func (g *gauge) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.open == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
