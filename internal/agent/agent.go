// Package agent writes one reply: it sends the conversation and the tools to a model, streams the
// text, runs the tool calls and repeats until the model answers with text alone.
//
// Handle runs one attempt. An attempt resumes from the steps that earlier attempts recorded: a step
// is recorded before any of its calls runs, and a call's effect commits together with its result, so
// no effect is repeated.
package agent

import (
	"context"
	"log/slog"
	"time"

	"errand/ent"
	"errand/internal/run"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/telemetry"
	"errand/internal/tool"
	"errand/internal/usage"

	"github.com/tmc/langchaingo/llms"
)

// Limits bound one turn.
type Limits struct {
	// Steps is the largest number of model calls.
	Steps int
	// ToolCalls is the largest number of tool calls over all steps.
	ToolCalls int
	// Time bounds one attempt. The waits for the first text of each model call do not count.
	Time time.Duration
	// Chars is the largest length of a reply, in UTF-16 code units; 0 means no limit.
	Chars int
	// Turns is the largest number of earlier turns in the prompt.
	Turns int
	// Context is the estimated number of input tokens of a call; older turns are summarised.
	Context int
	// Changes is the largest number of existing tasks that a turn may change without the user's approval.
	Changes int
}

// Runs is the part of the run engine that the agent uses: transactions that check the fence.
type Runs interface {
	Do(ctx context.Context, job run.Job, fn func(ctx context.Context, tx *ent.Tx) error) error
	Finish(ctx context.Context, job run.Job, o run.Outcome, set func(*ent.MessageUpdate)) error
}

// Observer receives model and tool calls, for metrics.
type Observer interface {
	// FirstText reports the time from the start of a model call to its first text.
	FirstText(model string, wait time.Duration)
	// ModelCall reports a finished model call.
	ModelCall(c telemetry.ModelCall)
	// ToolCall reports one tool call.
	ToolCall(name string, took time.Duration, failed bool)
}

// Options configures an Agent. Client, Runs, Hub, Tasks, Tools, Model, Ledger and Logger are required.
type Options struct {
	Client *ent.Client
	Runs   Runs
	Hub    *stream.Hub
	Tasks  *task.Service
	Tools  *tool.Registry
	Model  llms.Model
	// ModelName is stored with replies, as provider/name.
	ModelName string
	// Offline marks the built-in model. It follows only the user's commands, so titles and summaries
	// are derived from the text instead.
	Offline bool
	// Titles lets the model name conversations after their first turn.
	Titles bool
	// Ledger records usage and enforces its limits.
	Ledger *usage.Ledger
	Limits Limits
	// Window returns the context window of the model, in tokens, and replaces Limits.Context; may be nil.
	Window func(context.Context) int
	// ApprovalTTL is how long the user may approve a tool call.
	ApprovalTTL time.Duration
	Observer    Observer
	Logger      *slog.Logger
}

// Agent writes replies. It is safe for concurrent use.
type Agent struct {
	Options
	full, compact variant
}

// New returns an Agent.
func New(o Options) *Agent {
	if o.Observer == nil {
		o.Observer = noopObserver{}
	}
	return &Agent{Options: o, full: fullVariant(o.Tools), compact: compactVariant(o.Tools)}
}

type noopObserver struct{}

func (noopObserver) FirstText(string, time.Duration)      {}
func (noopObserver) ModelCall(telemetry.ModelCall)        {}
func (noopObserver) ToolCall(string, time.Duration, bool) {}
