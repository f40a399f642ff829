// Package eval measures how well a model works as the agent. A case is a conversation with the state of the task list
// that must follow. Each case ends as right, declined (nothing was changed, and the reply says so or asks) or wrong.
package eval

import (
	"context"
	"time"

	"errand/internal/price"
)

// State is a task as it is stored.
type State struct {
	Number      int
	Title       string
	Description string
	Completed   bool
	// Priority is none, low, medium, high or urgent.
	Priority string
	Labels   []string
	// DueOn is a date, "" when there is none; DueAt is an instant. At most one of them is set.
	DueOn string
	DueAt *time.Time
}

// Reply is the reply to a message.
type Reply struct {
	Text string
	// Failure is why the reply fails the case regardless of the tasks, such as an error of the model; "" when it
	// does not.
	Failure string
	Usage   Usage
}

// Usage is what one or more replies used.
type Usage struct {
	// Steps is the number of model calls.
	Steps  int
	Tokens price.Tokens
	// CostNanos is the cost in billionths of the currency of the price list. It is nil when the model has no price.
	CostNanos *int64
}

// add returns the sum of two usages. The cost is unknown only if both are.
func (u Usage) add(o Usage) Usage {
	sum := Usage{Steps: u.Steps + o.Steps, Tokens: u.Tokens.Add(o.Tokens), CostNanos: u.CostNanos}
	if o.CostNanos != nil {
		cost := *o.CostNanos
		if u.CostNanos != nil {
			cost += *u.CostNanos
		}
		sum.CostNanos = &cost
	}
	return sum
}

// Target is the system under test: a user with an agent and an empty task list. Each case needs a new one.
type Target interface {
	// SetTimeZone sets the user's time zone, an IANA name.
	SetTimeZone(ctx context.Context, zone string) error
	// CreateTask creates a task; its Number is ignored.
	CreateTask(ctx context.Context, t State) error
	// SendMessage sends a message to the target's conversation and waits for the reply.
	SendMessage(ctx context.Context, message string) (Reply, error)
	// ListTasks returns the tasks outside the trash ordered by number.
	ListTasks(ctx context.Context) ([]State, error)
}

// Outcome is how a case ended.
type Outcome string

// The outcomes of a case.
const (
	// Right means that the state and the replies are as required.
	Right Outcome = "right"
	// Declined means that nothing was changed and that the last reply says so or asks, where more was required.
	Declined Outcome = "declined"
	// Wrong is every other result: another state, or a reply that hides that nothing was done.
	Wrong Outcome = "wrong"
)

// Result is the result of a case.
type Result struct {
	Case    Case
	Outcome Outcome
	// Reason is why the outcome is not Right; "" when it is.
	Reason string
	// Deletes and Completes report whether the case required such a change of an existing task, or the model made one.
	Deletes, Completes bool
	Replies            []string
	// After are the tasks after the conversation.
	After    []State
	Usage    Usage
	Duration time.Duration
}

// Run runs a case. The error is that of the target's methods; a failure of the model is in the result.
func Run(ctx context.Context, c Case, target Target) (Result, error) {
	r := Result{Case: c}
	now, err := c.localNow(time.Now())
	if err != nil {
		return r, err
	}
	if err := target.SetTimeZone(ctx, now.Location().String()); err != nil {
		return r, err
	}
	for _, t := range c.Have {
		if err := target.CreateTask(ctx, t.state(now)); err != nil {
			return r, err
		}
	}
	before, err := target.ListTasks(ctx)
	if err != nil {
		return r, err
	}
	started := time.Now()
	var replies []Reply
	for _, message := range c.Say {
		reply, err := target.SendMessage(ctx, message)
		if err != nil {
			return r, err
		}
		replies = append(replies, reply)
		r.Replies = append(r.Replies, reply.Text)
		r.Usage = r.Usage.add(reply.Usage)
	}
	r.Duration = time.Since(started)
	if r.After, err = target.ListTasks(ctx); err != nil {
		return r, err
	}
	run := conversation{before: before, after: r.After, replies: replies, now: now}
	r.Outcome, r.Reason = run.judge(c)
	r.Deletes, r.Completes = run.effects(c)
	return r, nil
}
