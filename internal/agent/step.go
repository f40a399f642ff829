package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/llm"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/telemetry"
	"errand/internal/tool"
	"errand/internal/truncate"
	"errand/internal/usage"
	"errand/internal/viewer"

	"github.com/tmc/langchaingo/llms"
)

// step is one model answer with tool calls.
type step struct {
	text  string
	calls []*ent.ToolCall
}

// stepSeparator separates the texts of steps in a reply.
const stepSeparator = "\n\n"

func bySequence(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }

// recordedSteps splits a reply into its recorded steps by the text offsets of their calls.
func recordedSteps(reply *ent.Message) []*step {
	var steps []*step
	at := 0
	for _, c := range reply.Edges.ToolCalls {
		if c.Step < len(steps) {
			last := steps[len(steps)-1]
			last.calls = append(last.calls, c)
			continue
		}
		text := sliceUTF16(reply.Content, at, c.TextOffset)
		if len(steps) > 0 {
			text = strings.TrimPrefix(text, stepSeparator)
		}
		steps = append(steps, &step{text: text, calls: []*ent.ToolCall{c}})
		at = c.TextOffset
	}
	return steps
}

// recordedText is the text up to the last recorded step. No later attempt changes it.
func recordedText(reply *ent.Message) string {
	calls := reply.Edges.ToolCalls
	if len(calls) == 0 {
		return ""
	}
	return sliceUTF16(reply.Content, 0, calls[len(calls)-1].TextOffset)
}

// finalText is the text of a finished reply after its last step.
func finalText(reply *ent.Message) string {
	rest, _ := stream.UTF16Suffix(reply.Content, stream.UTF16Len(recordedText(reply)))
	if len(reply.Edges.ToolCalls) > 0 {
		rest = strings.TrimPrefix(rest, stepSeparator)
	}
	return rest
}

func sliceUTF16(s string, from, to int) string {
	rest, _ := stream.UTF16Suffix(s, from)
	tail, _ := stream.UTF16Suffix(s, to)
	return strings.TrimSuffix(rest, tail)
}

// messages converts a step to model messages: the answer with its calls, then one result for each call, as r says.
// A call without a result gets run.UnexecutedResult, since providers require a result for every call.
func (s *step) messages(r tool.Replay) []llms.MessageContent {
	answer := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	if s.text != "" {
		answer.Parts = append(answer.Parts, llms.TextContent{Text: s.text})
	}
	out := []llms.MessageContent{answer}
	for _, c := range s.calls {
		if c.ProviderExtra != "" {
			var extra llm.ProviderParts
			if json.Unmarshal([]byte(c.ProviderExtra), &extra) == nil {
				out[0].Parts = append(out[0].Parts, extra)
			}
		}
		out[0].Parts = append(out[0].Parts, llms.ToolCall{
			ID: c.ProviderID, Type: "function",
			FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: r.Arguments(c.Arguments)},
		})
		result := run.UnexecutedResult
		switch {
		case c.Result != nil:
			result = r.Result(*c.Result)
		case c.Status == enum.ToolCallAwaiting:
			result = tool.AwaitingResult(nil)
		}
		out = append(out, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: c.ProviderID, Name: c.Name, Content: stripInvisible(result)},
		}})
	}
	return out
}

// recordStep stores a step before any of its calls runs, with the text up to it.
func (t *turn) recordStep(ctx context.Context, choice *llms.ContentChoice) error {
	t.writer.flush()
	s := &step{text: t.writer.unrecordedText()}
	extra := ""
	if parts, ok := llm.PartsOf(choice); ok {
		b, err := json.Marshal(parts)
		if err != nil {
			return fmt.Errorf("encoding the provider parts: %w", err)
		}
		extra = string(b)
	}
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		queue := store.Queue(tx)
		if err := t.saveUsage(ctx, queue, queue.Message.Update().SetContent(t.writer.text())); err != nil {
			return err
		}
		s.calls = nil
		for i, call := range choice.ToolCalls {
			create := queue.ToolCall.Create().SetMessageID(t.job.MessageID).
				SetSeq(t.callCount + i).SetStep(len(t.steps)).SetProviderID(call.ID).SetTextOffset(t.writer.offsetUTF16()).
				SetName(truncate.Bytes(call.FunctionCall.Name, 128)).SetArguments(call.FunctionCall.Arguments)
			if i == 0 {
				create.SetProviderExtra(extra)
			}
			c, err := create.Save(rule.SkipEdgeCheck(ctx, t.job.MessageID))
			if err != nil {
				return fmt.Errorf("recording a tool call: %w", err)
			}
			s.calls = append(s.calls, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.unbilled = usage.Amount{}
	t.writer.markRecorded()
	t.followUp = followUp{}
	t.steps = append(t.steps, s)
	t.callCount += len(s.calls)
	t.notifyChanged()
	return nil
}

// runToolCalls runs the pending calls of the last step in order.
func (t *turn) runToolCalls(ctx context.Context) error {
	if len(t.steps) == 0 {
		return nil
	}
	if done, err := t.runTogether(ctx); done || err != nil {
		return err
	}
	for _, c := range t.steps[len(t.steps)-1].calls {
		if c.Status != enum.ToolCallStarted {
			continue
		}
		if err := t.runToolCall(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// runToolCall runs one call. Its effect and its result commit together, in a transaction that checks the fence. The
// effect of a call that needs approval is rolled back and stored as a proposal.
func (t *turn) runToolCall(ctx context.Context, c *ent.ToolCall) error {
	var executed executedCall
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) (err error) {
		if executed, err = t.execute(ctx, t.Tasks.In(tx), c); err != nil {
			return err
		}
		if err := t.checkApproval(c, executed.changes); err != nil {
			return err
		}
		return t.storeResult(ctx, tx, executed)
	})
	if errors.Is(err, errNeedsApproval) {
		return t.propose(ctx, c, executed.changes, executed.result)
	}
	if err != nil {
		return err
	}
	t.finishCalls(ctx, executed)
	return nil
}

// executedCall is a call with what it has done in a transaction.
type executedCall struct {
	call    *ent.ToolCall
	result  tool.Result
	changes []enum.ProposedChange
	took    time.Duration
}

func (e executedCall) status() enum.ToolCallStatus {
	if e.result.Failed {
		return enum.ToolCallFailed
	}
	return enum.ToolCallSucceeded
}

func (e executedCall) latency() int { return int(e.took.Milliseconds()) }

// execute makes a call in the transaction of tasks.
func (t *turn) execute(ctx context.Context, tasks task.Tx, c *ent.ToolCall) (executedCall, error) {
	started, before := time.Now(), len(tasks.Changes())
	ctx, end := telemetry.StartToolCall(ctx, t.toolName(c), c.ID)
	result, err := t.applyToolCall(ctx, tasks, c)
	end(err, result.Failed)
	return executedCall{
		call:    c,
		result:  result,
		changes: slices.Clone(tasks.Changes()[before:]),
		took:    time.Since(started),
	}, err
}

// storeResult stores the result of a call, in the transaction with its effect.
func (t *turn) storeResult(ctx context.Context, tx *ent.Tx, e executedCall) error {
	update := store.Queue(tx).ToolCall.Update().
		Where(toolcall.ID(e.call.ID)).
		SetStatus(e.status()).
		SetResult(e.result.JSON).
		SetLatencyMs(e.latency()).
		SetUpdatedAt(ids.Now())
	if len(e.result.Choices) > 0 {
		update.SetChoices(e.result.Choices)
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("storing the result of a tool call: %w", err)
	}
	return nil
}

// finishCalls records calls whose transaction has committed in the turn, metrics and the log, and notifies subscribers.
func (t *turn) finishCalls(ctx context.Context, calls ...executedCall) {
	for _, e := range calls {
		latency := e.latency()
		e.call.Status, e.call.Result, e.call.LatencyMs = e.status(), &e.result.JSON, &latency
		t.approvals.made = append(t.approvals.made, e.changes...)
		name := t.toolName(e.call)
		t.Observer.ToolCall(name, e.took, e.result.Failed)
		t.Logger.InfoContext(ctx, "tool call", "user_id", t.job.UserID, "conversation_id", t.job.ConversationID,
			"tool_name", name, "latency_ms", e.took.Milliseconds(), "failed", e.result.Failed)
	}
	t.notifyChanged()
	t.Tasks.NotifyChanged(t.job.UserID)
}

// toolName is the tool name for logs and metrics: names that no tool has may hold any text.
func (t *turn) toolName(c *ent.ToolCall) string {
	if t.Tools.Find(c.Name) == nil {
		return "unknown"
	}
	return c.Name
}

func (t *turn) applyToolCall(ctx context.Context, tasks tool.Tasks, c *ent.ToolCall) (tool.Result, error) {
	if c.Seq >= t.Limits.ToolCalls {
		return tool.FailedResult(
			apperr.New(apperr.RateLimited, "A turn may make at most %d tool calls; this call exceeds the limit.",
				t.Limits.ToolCalls),
		), nil
	}
	if refused, ok := t.refused(c); ok {
		return refused, nil
	}
	ctx = viewer.NewContext(ctx, viewer.Viewer{
		UserID:     t.job.UserID,
		Actor:      viewer.ActorAgent,
		ToolCallID: c.ID,
		BatchID:    c.MessageID,
		Scopes:     t.job.Scopes,
	})
	return t.Tools.Call(ctx, tasks, c.Name, c.Arguments)
}
