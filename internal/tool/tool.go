// Package tool defines the tools that models may call: the operations of internal/task
// with a name, a JSON Schema and a result that models can read.
//
// One Registry serves the agent, which calls tools within a run's transaction, and
// the Model Context Protocol (MCP) server, which calls them outside of one. No tool has a
// parameter that names a user: a tool always acts as the context's viewer.
package tool

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/task"
	"errand/internal/viewer"
)

// Tool describes one tool and holds its implementation.
type Tool struct {
	// Name identifies the tool in calls.
	Name string
	// Title is a display name.
	Title string
	// Description tells a model when and how to use the tool.
	Description string
	// Schema is the JSON Schema of the arguments, as it is offered to models. It is closed: unknown members are
	// rejected. Calls may use further spellings, and values are checked against bounds that it leaves out.
	Schema json.RawMessage
	// Compact is the description and the schema for models with a small context window.
	Compact Compact
	// OutputSchema is the JSON Schema of a successful result.
	OutputSchema json.RawMessage
	// ReadOnly tools change nothing.
	ReadOnly bool
	// Destructive tools may delete or overwrite data.
	Destructive bool
	// Idempotent tools have no further effect when repeated with the same arguments.
	Idempotent bool

	// accepted is the whole JSON Schema of the arguments, and argsSchema the same in Go.
	accepted json.RawMessage
	// scope is the scope that a call needs; by default that of reading or of changing tasks.
	scope      viewer.Scope
	argsSchema *argSchema
	handle     handler
	// changedText begins the text of a result, unchangedText when there was nothing to change.
	changedText, unchangedText string
}

// Compact is the short variant of what a tool declares.
type Compact struct {
	Description string
	Schema      json.RawMessage
}

// prepare parses the schema that the tool was defined with and derives the schemas that are offered.
func (t *Tool) prepare() (err error) {
	t.accepted = t.Schema
	if t.argsSchema, err = parseSchema(t.accepted); err != nil {
		return err
	}
	if t.Schema, err = offeredSchema(t.accepted, false); err != nil {
		return err
	}
	t.Compact.Description, _, _ = strings.Cut(t.Description, "\n")
	t.Compact.Schema, err = offeredSchema(t.accepted, true)
	return err
}

// Scope returns the scope that the viewer needs to call the tool.
func (t *Tool) Scope() viewer.Scope {
	switch {
	case t.scope != "":
		return t.scope
	case t.ReadOnly:
		return viewer.TasksRead
	default:
		return viewer.TasksWrite
	}
}

// ChangesTasks reports whether the tool may change tasks. Only such changes can be proposed for approval.
func (t *Tool) ChangesTasks() bool { return t.Scope() == viewer.TasksWrite }

// Tasks are the operations that tools call. Both *task.Service and task.Tx implement it; the
// latter makes a call part of the caller's transaction.
type Tasks interface {
	FindTaskToChange(ctx context.Context, number int) (*ent.Task, error)
	FindTaskToRestore(ctx context.Context, number int) (*ent.Task, error)
	FindTaskByReference(ctx context.Context, text string, scope task.Scope) (*task.Match, error)
	FindTaskByNumber(ctx context.Context, number int) (*ent.Task, error)
	AfterTask(ctx context.Context, number int, order task.Order) (string, error)
	ListLabels(ctx context.Context, first *int) ([]*task.LabelCount, error)
	RecentChanges(ctx context.Context, since time.Time, limit int) ([]*ent.TaskChange, error)
	ListTasks(ctx context.Context, args page.Args, order *task.Order, filter *task.Filter) (*page.TaskConnection, error)
	TimeZone(ctx context.Context) (*time.Location, error)
	Calendar(ctx context.Context) (task.Calendar, error)
	CreateTask(ctx context.Context, in task.CreateTaskInput) (*ent.Task, error)
	UpdateTask(ctx context.Context, id string, p task.Patch) (*ent.Task, error)
	CompleteTask(ctx context.Context, id string) (*ent.Task, error)
	ReopenTask(ctx context.Context, id string) (*ent.Task, error)
	DeleteTask(ctx context.Context, id string) (*ent.Task, error)
	RestoreTask(ctx context.Context, id string) (*ent.Task, error)
	UndoChange(ctx context.Context, id string) (*task.Undo, error)
	UndoLast(ctx context.Context) (*task.Undo, error)
	SetTimeZone(ctx context.Context, name string) error
}

// handler implements a tool. args match the tool's schema.
type handler func(ctx context.Context, tasks Tasks, args json.RawMessage) (any, error)

// Result is the outcome of a call.
type Result struct {
	// JSON is the result for the model: an object, with the member "error" when the call failed.
	JSON string
	// Text is the same in English, for clients that do not read JSON.
	Text string
	// Failed reports that the call changed nothing and returned an error.
	Failed bool
	// Code is the error's code, "" on success.
	Code apperr.Code
	// Choices are the references that name no task with certainty. Nothing was done for them.
	Choices []enum.TaskChoice
	// Skipped are the items of a call for several tasks for which nothing was done.
	Skipped []Skipped
}
