// Package eval measures how well a model works as the agent. A case is a conversation with the tasks that must
// exist afterwards and patterns that the replies must match.
package eval

import (
	"bytes"
	"context"
	_ "embed" // for cases.json
	"encoding/json"
	"fmt"
	"time"
)

//go:embed cases.json
var builtinCases []byte

// Case is a conversation and its required result.
type Case struct {
	// Kind groups cases in the report; Name is unique within it.
	Kind, Name string
	// Tasks exist before the conversation, numbered from 1.
	Tasks []Task
	// Messages are the user's messages, sent one after the other.
	Messages []string `json:"say"`
	// Want are the tasks outside the trash after the conversation, ordered by number. nil means that no task may
	// have changed.
	Want *[]Task
	// ReplyPatterns are regular expressions that the last reply must match, case-insensitively.
	ReplyPatterns []string `json:"reply"`
	// ForbiddenPatterns are regular expressions that no reply may match.
	ForbiddenPatterns []string `json:"silent"`
}

// Task is a task before or after a conversation. In Case.Want, Title is a case-insensitive regular expression for
// the whole title, and fields with zero values are not compared, except Completed.
type Task struct {
	// Number is required only after a gap; 0 means one more than the previous task's number.
	Number      int
	Title       string
	Description string
	Completed   bool
	// Priority is none, low, medium, high or urgent.
	Priority string
	// DueOn is a date: today, tomorrow, +3 (days from today), friday, 2027-03-01, or none.
	DueOn string `json:"due_on"`
	// DueAt is a date with a time: "tomorrow 17:00".
	DueAt  string `json:"due_at"`
	Labels []string
}

// Load parses a JSON file of cases and validates them. An empty file means the built-in cases.
func Load(file []byte) ([]Case, error) {
	if len(file) == 0 {
		file = builtinCases
	}
	var cases []Case
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		return nil, fmt.Errorf("parsing cases: %w", err)
	}
	names := map[string]bool{}
	for _, c := range cases {
		if c.Kind == "" || c.Name == "" || len(c.Messages) == 0 || names[c.Kind+": "+c.Name] {
			return nil, fmt.Errorf("case %q: kind, a name unique within the kind, and at least one message are required", c.Name)
		}
		names[c.Kind+": "+c.Name] = true
	}
	return cases, nil
}

// Reply is the reply to a message.
type Reply struct {
	Text string
	// Failure is why the reply fails the case regardless of the tasks, such as an error of the model; "" when it
	// does not.
	Failure string
	// Steps is the number of model calls; Tokens is the number of input and output tokens.
	Steps, Tokens int
}

// Target is the system under test: a user with an agent and an empty task list. Each case needs a new one.
type Target interface {
	// CreateTask creates a task.
	CreateTask(ctx context.Context, t Task) error
	// SendMessage sends a message to the target's conversation and waits for the reply.
	SendMessage(ctx context.Context, message string) (Reply, error)
	// ListTasks returns the tasks outside the trash ordered by number, with DueOn as a date and DueAt as UTC
	// "2006-01-02 15:04".
	ListTasks(ctx context.Context) ([]Task, error)
}

// Result is the result of a case.
type Result struct {
	Case Case
	// Failure is why the case failed; "" when it passed.
	Failure       string
	Steps, Tokens int
	Duration      time.Duration
}

// Run runs a case. The error is that of the target's methods; a failure of the model is in the result.
func Run(ctx context.Context, c Case, target Target) (Result, error) {
	r := Result{Case: c}
	now := time.Now().UTC()
	for _, t := range c.Tasks {
		if err := target.CreateTask(ctx, t.withDates(now)); err != nil {
			return r, err
		}
	}
	before, err := target.ListTasks(ctx)
	if err != nil {
		return r, err
	}
	started := time.Now()
	var replies []Reply
	for _, message := range c.Messages {
		reply, err := target.SendMessage(ctx, message)
		if err != nil {
			return r, err
		}
		replies = append(replies, reply)
		r.Steps += reply.Steps
		r.Tokens += reply.Tokens
	}
	r.Duration = time.Since(started)
	after, err := target.ListTasks(ctx)
	r.Failure = c.check(before, after, replies, now)
	return r, err
}
