package exec

import (
	"context"
	"sync"
)

// subscriptionLimiter limits the live subscriptions of each user on all transports, in number and in cost, and lets
// each user execute one event at a time. It is safe for concurrent use.
type subscriptionLimiter struct {
	maxCount int
	maxCost  int

	mu    sync.Mutex
	users map[string]*userSubscriptions
}

// userSubscriptions are the live subscriptions of one user.
type userSubscriptions struct {
	count int
	// cost is the sum of the costs of different subscriptions; equal ones share executions.
	cost  int
	equal map[dedupKey]int
	// turn holds a value while an event of the user is executed.
	turn chan struct{}
}

func newSubscriptionLimiter(maxCount, maxCost int) *subscriptionLimiter {
	return &subscriptionLimiter{maxCount: maxCount, maxCost: maxCost, users: map[string]*userSubscriptions{}}
}

// acquire counts a subscription. Anonymous subscriptions, of which the schema has none that stay open, are not limited.
func (l *subscriptionLimiter) acquire(userID string, key dedupKey, cost int) (*executionTurn, *RequestError) {
	if userID == "" {
		return &executionTurn{}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.users[userID]
	if u == nil {
		u = &userSubscriptions{equal: map[dedupKey]int{}, turn: make(chan struct{}, 1)}
	}
	if u.equal[key] > 0 {
		cost = 0
	}
	switch {
	case u.count >= l.maxCount:
		return nil, TooMany("subscriptionsPerUser", l.maxCount,
			"At most %d subscriptions of a user may be open on this server; end one first.")
	case u.cost+cost > l.maxCost:
		return nil, TooMany("subscriptionCostPerUser", l.maxCost,
			"The open subscriptions of a user may cost at most %d points on this server; end one first.")
	}
	l.users[userID] = u
	u.count++
	u.cost += cost
	u.equal[key]++
	return &executionTurn{turn: u.turn}, nil
}

// release takes back acquire with the same arguments.
func (l *subscriptionLimiter) release(userID string, key dedupKey, cost int) {
	if userID == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.users[userID]
	if u.count--; u.count == 0 {
		delete(l.users, userID)
		return
	}
	if u.equal[key]--; u.equal[key] == 0 {
		delete(u.equal, key)
		u.cost -= cost
	}
}

// executionTurn is one subscription's part in its user's executions, which run one at a time in the order of their
// requests, so that a user with many subscriptions takes no more of the server than one with few. While a subscription
// waits, its source drops events beyond a bound and reads the rows later. Only the pumping goroutine uses it.
type executionTurn struct {
	turn chan struct{} // nil for anonymous subscriptions
	held bool
}

// begin takes the turn, and waits for it while ctx lasts; false when it has ended.
func (t *executionTurn) begin(ctx context.Context) bool {
	if t.turn == nil {
		return true
	}
	select {
	case t.turn <- struct{}{}:
	default:
		select {
		case t.turn <- struct{}{}:
		case <-ctx.Done():
			return false
		}
	}
	t.held = true
	return true
}

// end gives the turn back. It does nothing when the turn is not held.
func (t *executionTurn) end() {
	if t.held {
		t.held = false
		<-t.turn
	}
}
