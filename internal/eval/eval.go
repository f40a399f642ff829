// Package eval measures a model as the agent: conversations with the expected state of the task
// list afterwards.
package eval

import (
	"bytes"
	"context"
	_ "embed" // the shipped cases
	"encoding/json"
	"fmt"
	"time"
)

//go:embed cases.json
var shipped []byte

// Case is a conversation and its expected outcome.
type Case struct {
	// Kind groups cases in the table; Name is unique in it.
	Kind, Name string
	// Tasks exist before the conversation, numbered from 1.
	Tasks []Task
	// Say are the messages of the user, in order.
	Say []string
	// Want are all tasks outside the trash afterwards, in the order of their numbers.
	// When it is absent, no task may have changed.
	Want *[]Task
	// Reply are regular expressions that the last reply must match.
	Reply []string
	// Silent are regular expressions that no reply may match.
	Silent []string
}

// Task is a task before or after. Afterwards its title is a case-insensitive regular expression for
// the whole title, and absent fields, except Completed, are not compared.
type Task struct {
	// Number is needed after a gap only; by default it is one more than that of the task before.
	Number      int
	Title       string
	Description string
	Completed   bool
	// Priority is none, low, medium, high or urgent.
	Priority string
	// DueOn is a day: today, tomorrow, +3, friday, 2027-03-01, or none.
	DueOn string `json:"due_on"`
	// DueAt is a day with a time: "tomorrow 17:00".
	DueAt  string `json:"due_at"`
	Labels []string
}

// Load parses cases; empty content means the shipped cases.
func Load(file []byte) ([]Case, error) {
	if len(file) == 0 {
		file = shipped
	}
	var cases []Case
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		return nil, fmt.Errorf("reading cases: %w", err)
	}
	names := map[string]bool{}
	for _, c := range cases {
		if c.Kind == "" || c.Name == "" || len(c.Say) == 0 || names[c.Kind+": "+c.Name] {
			return nil, fmt.Errorf("case %q needs a kind, a name of its own in it, and something to say", c.Name)
		}
		names[c.Kind+": "+c.Name] = true
	}
	return cases, nil
}

// Reply is the result of a message.
type Reply struct {
	Text string
	// Fault is the reason why the reply is wrong regardless of the tasks: it failed, or it claims
	// a change that no tool result shows. Empty means no fault.
	Fault string
	// Steps is the number of model calls; Tokens counts input and output tokens.
	Steps, Tokens int
}

// User is a user with an empty task list and an agent, new for each case.
type User interface {
	// Put stores a task.
	Put(ctx context.Context, t Task) error
	// Say sends a message to the one conversation and waits for the reply.
	Say(ctx context.Context, message string) (Reply, error)
	// Tasks are those outside the trash, with DueOn as a date and DueAt as UTC "2006-01-02 15:04".
	Tasks(ctx context.Context) ([]Task, error)
}

// Result is the outcome of a case.
type Result struct {
	Case Case
	// Fault is the reason of the failure; empty means passed.
	Fault         string
	Steps, Tokens int
	Took          time.Duration
}

// Run runs one case. Its error is a failure of the environment, not of the model.
func Run(ctx context.Context, c Case, p User) (Result, error) {
	r := Result{Case: c}
	now := time.Now().UTC()
	for _, t := range c.Tasks {
		if err := p.Put(ctx, t.dated(now)); err != nil {
			return r, err
		}
	}
	before, err := p.Tasks(ctx)
	if err != nil {
		return r, err
	}
	started := time.Now()
	var replies []Reply
	for _, message := range c.Say {
		reply, err := p.Say(ctx, message)
		if err != nil {
			return r, err
		}
		replies = append(replies, reply)
		r.Steps += reply.Steps
		r.Tokens += reply.Tokens
	}
	r.Took = time.Since(started)
	after, err := p.Tasks(ctx)
	r.Fault = c.judge(before, after, replies, now)
	return r, err
}
