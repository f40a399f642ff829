// Package agent does one turn: it gives a model the conversation and the tools,
// streams what it says, and does what it asks for, until it has answered.
package agent

import (
	"context"
	"log/slog"
	"time"

	"errand/ent"
	"errand/internal/run"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// Limits bound one turn.
type Limits struct {
	// Steps is how many times the model may be asked.
	Steps int
	// ToolCalls is how many calls it may make in all.
	ToolCalls int
	// Time is how long one attempt may take.
	Time time.Duration
	// Turns is how many earlier turns the model is shown at most.
	Turns int
	// Context is how many tokens a call may read, about; older turns are left out and summarised.
	Context int
	// Changes is how many tasks may be changed or deleted that the person's message does not number.
	Changes int
}

// Runs is what the agent needs of the run engine: effects behind the fence.
type Runs interface {
	Do(ctx context.Context, job run.Job, fn func(ctx context.Context, tx *ent.Tx) error) error
	Finish(ctx context.Context, job run.Job, o run.Outcome, set func(*ent.MessageUpdateOne)) error
}

// Observer is told what the model and the tools did; for metrics.
type Observer interface {
	// FirstText reports the time from the attempt's start to its first text.
	FirstText(wait time.Duration)
	// ModelCall reports one answer and its tokens.
	ModelCall(model string, took time.Duration, input, output, cached int, err error)
	// ToolCall reports one use of a tool.
	ToolCall(name string, took time.Duration, failed bool)
}

// Options are what an agent is made of.
type Options struct {
	Client *ent.Client
	Runs   Runs
	Hub    *stream.Hub
	Tasks  *task.Service
	Tools  *tool.Registry
	Model  llms.Model
	// ModelName is stored with replies, as provider/name.
	ModelName string
	// Offline says that the model is the built-in one: it follows no instructions but a
	// person's, so titles and summaries are made without it.
	Offline bool
	// Titles lets the model name conversations after their first turn.
	Titles bool
	// Book records and limits what is spent. Required.
	Book     *usage.Book
	Limits   Limits
	Observer Observer
	Logger   *slog.Logger
}

// Agent writes replies.
type Agent struct {
	Options
	offered    []llms.Tool
	toolTokens int
}

// New makes an agent.
func New(o Options) *Agent {
	if o.Observer == nil {
		o.Observer = silent{}
	}
	a := &Agent{Options: o}
	for _, t := range o.Tools.Tools() {
		a.offered = append(a.offered, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
			Name: t.Name, Description: t.Description, Parameters: t.Schema,
		}})
	}
	a.toolTokens = estimateTools(a.offered)
	return a
}

type silent struct{}

func (silent) FirstText(time.Duration)                               {}
func (silent) ModelCall(string, time.Duration, int, int, int, error) {}
func (silent) ToolCall(string, time.Duration, bool)                  {}
