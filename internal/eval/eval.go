// Package eval measures how well a model does the agent's work: conversations with
// the state that tasks must be in afterwards.
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

// Case is a conversation and what must come of it.
type Case struct {
	// Kind groups cases in the table; Name is unique in it.
	Kind, Name string
	// Tasks are there before, numbered from 1.
	Tasks []Task
	// Say is what the person says, message by message.
	Say []string
	// Want are all tasks outside the trash afterwards, in the order of their numbers.
	// Left out, nothing may have changed.
	Want *[]Task
	// Reply are regular expressions that the last reply must match.
	Reply []string
	// Silent are regular expressions that no reply may match.
	Silent []string
}

// Task is a task before or after. Afterwards its title is a regular expression for all of
// the title, without regard to case, and what is left out is not looked at, but for Completed.
type Task struct {
	// Number is needed after a gap only: else it is one more than the task's before.
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

// Load reads cases; no bytes are the shipped file.
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

// Reply is what came of a message.
type Reply struct {
	Text string
	// Fault says why the reply is bad whatever became of the tasks: it failed, or claims what
	// no result shows; "" when it is good.
	Fault string
	// Steps is how often the model was asked; Tokens is what it read and wrote.
	Steps, Tokens int
}

// Person is somebody with a task list and an agent, new for each case.
type Person interface {
	// Put stores a task.
	Put(ctx context.Context, t Task) error
	// Say sends a message to the one conversation and waits for the reply.
	Say(ctx context.Context, message string) (Reply, error)
	// Tasks are those outside the trash, with DueOn as a date and DueAt as UTC "2006-01-02 15:04".
	Tasks(ctx context.Context) ([]Task, error)
}

// Result is how a case went.
type Result struct {
	Case Case
	// Fault says what is wrong; "" is a pass.
	Fault         string
	Steps, Tokens int
	Took          time.Duration
}

// Run has one conversation. The error is the person's, not the model's.
func Run(ctx context.Context, c Case, p Person) (Result, error) {
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
