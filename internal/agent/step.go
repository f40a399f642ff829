package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"errand/internal/stream"
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

// awaitingResult is the result that models read of a call that waits for approval.
const awaitingResult = `{"error":{"code":"AWAITING_APPROVAL",` +
	`"message":"This was not done: it waits for the user's approval."}}`

// messages converts a step to model messages: the answer with its calls, then one result for each call.
// A call without a result gets run.UnexecutedResult, since providers require a result for every call.
func (s *step) messages() []llms.MessageContent {
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
			ID: c.ProviderID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: c.Arguments},
		})
		result := run.UnexecutedResult
		switch {
		case c.Result != nil:
			result = *c.Result
		case c.Status == enum.ToolCallAwaiting:
			result = awaitingResult
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
		if err := t.saveUsage(ctx, tx, tx.Message.Update().SetContent(t.writer.text())); err != nil {
			return err
		}
		creates := make([]*ent.ToolCallCreate, len(choice.ToolCalls))
		for i, call := range choice.ToolCalls {
			creates[i] = tx.ToolCall.Create().SetMessageID(t.job.MessageID).
				SetSeq(t.callCount + i).SetStep(len(t.steps)).SetProviderID(call.ID).SetTextOffset(t.writer.offsetUTF16()).
				SetName(truncate.Bytes(call.FunctionCall.Name, 128)).SetArguments(call.FunctionCall.Arguments)
			if i == 0 {
				creates[i].SetProviderExtra(extra)
			}
		}
		calls, err := tx.ToolCall.CreateBulk(creates...).Save(rule.SkipEdgeCheck(ctx, t.job.MessageID))
		s.calls = calls
		return err
	})
	if err != nil {
		return err
	}
	t.unbilled = usage.Amount{}
	t.writer.markRecorded()
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
	if err := t.tryStep(ctx); err != nil {
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
	started := time.Now()
	var result tool.Result
	var changes []enum.ProposedChange
	name := t.toolName(c)
	ctx, end := telemetry.ToolCall(ctx, name)
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) (err error) {
		tasks := t.Tasks.In(tx)
		if result, err = t.applyToolCall(ctx, tasks, c); err != nil {
			return err
		}
		changes = tasks.Changes()
		if err := t.checkApproval(c, changes); err != nil {
			return err
		}
		status := enum.ToolCallSucceeded
		if result.Failed {
			status = enum.ToolCallFailed
		}
		latency := int(time.Since(started).Milliseconds())
		c.Status, c.Result, c.LatencyMs = status, &result.JSON, &latency
		return tx.ToolCall.Update().Where(toolcall.ID(c.ID)).
			SetStatus(status).SetResult(result.JSON).SetLatencyMs(latency).SetUpdatedAt(ids.Now()).Exec(ctx)
	})
	if errors.Is(err, errNeedsApproval) {
		end(nil, false)
		return t.propose(ctx, c, changes, result.Skipped)
	}
	end(err, result.Failed)
	if err != nil {
		c.Status, c.Result, c.LatencyMs = enum.ToolCallStarted, nil, nil
		return err
	}
	t.approvals.made = append(t.approvals.made, changes...)
	took := time.Since(started)
	t.Observer.ToolCall(name, took, result.Failed)
	t.Logger.InfoContext(ctx, "tool call", "user_id", t.job.UserID, "conversation_id", t.job.ConversationID,
		"tool_name", name, "latency_ms", took.Milliseconds(), "failed", result.Failed)
	t.notifyChanged()
	t.Tasks.NotifyChanged(t.job.UserID)
	return nil
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
