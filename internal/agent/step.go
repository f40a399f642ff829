package agent

import (
	"context"
	"encoding/json"
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

// step is one answer of the model that asked for tools.
type step struct {
	text  string
	calls []*ent.ToolCall
}

// stepGap separates the texts of two steps in a reply.
const stepGap = "\n\n"

func inOrder(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }

// recordedSteps cuts a reply into its steps: each call knows where in the text it happened.
func recordedSteps(reply *ent.Message) []*step {
	var steps []*step
	at := 0
	for _, c := range reply.Edges.ToolCalls {
		if c.Step < len(steps) {
			last := steps[len(steps)-1]
			last.calls = append(last.calls, c)
			continue
		}
		text := between(reply.Content, at, c.TextOffset)
		if len(steps) > 0 {
			text = strings.TrimPrefix(text, stepGap)
		}
		steps = append(steps, &step{text: text, calls: []*ent.ToolCall{c}})
		at = c.TextOffset
	}
	return steps
}

// recordedText is the part of a reply that no later attempt changes: up to its last recorded step.
func recordedText(reply *ent.Message) string {
	calls := reply.Edges.ToolCalls
	if len(calls) == 0 {
		return ""
	}
	return between(reply.Content, 0, calls[len(calls)-1].TextOffset)
}

// finalText is what a finished reply says after its last step.
func finalText(reply *ent.Message) string {
	rest, _ := stream.From(reply.Content, stream.Units(recordedText(reply)))
	if len(reply.Edges.ToolCalls) > 0 {
		rest = strings.TrimPrefix(rest, stepGap)
	}
	return rest
}

func between(s string, from, to int) string {
	rest, _ := stream.From(s, from)
	tail, _ := stream.From(s, to)
	return strings.TrimSuffix(rest, tail)
}

// messages are a step as models want it replayed: what was said and asked for, then
// one result a call. Calls that were never done get a result that says so.
func (s *step) messages() []llms.MessageContent {
	asked := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	if s.text != "" {
		asked.Parts = append(asked.Parts, llms.TextContent{Text: s.text})
	}
	out := []llms.MessageContent{asked}
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
		if c.Result != nil {
			result = *c.Result
		}
		out = append(out, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: c.ProviderID, Name: c.Name, Content: visible(result)},
		}})
	}
	return out
}

// record stores a step before anything of it is done, with the text up to here.
func (t *turn) record(ctx context.Context, choice *llms.ContentChoice) error {
	t.out.flush()
	s := &step{text: t.out.tail()}
	extra := ""
	if parts, ok := llm.PartsOf(choice); ok {
		b, err := json.Marshal(parts)
		if err != nil {
			return fmt.Errorf("keeping the provider's parts: %w", err)
		}
		extra = string(b)
	}
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		if err := t.pay(ctx, tx, tx.Message.Update().SetContent(t.out.text())); err != nil {
			return err
		}
		creates := make([]*ent.ToolCallCreate, len(choice.ToolCalls))
		for i, call := range choice.ToolCalls {
			creates[i] = tx.ToolCall.Create().SetMessageID(t.job.MessageID).
				SetSeq(t.calls + i).SetStep(len(t.steps)).SetProviderID(call.ID).SetTextOffset(t.out.units()).
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
	t.owed = usage.Spent{}
	t.out.mark()
	if t.doubt != nil {
		t.doubt.note = nil // what was said is part of the step now
	}
	t.steps = append(t.steps, s)
	t.calls += len(s.calls)
	t.changed()
	return nil
}

// use does the calls of the last step that are not done yet, one after the other.
func (t *turn) use(ctx context.Context) error {
	if len(t.steps) == 0 {
		return nil
	}
	for _, c := range t.steps[len(t.steps)-1].calls {
		if c.Status != enum.ToolCallStarted {
			continue
		}
		if err := t.do(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// do carries out one call. Its effect and its result commit together, behind the fence.
func (t *turn) do(ctx context.Context, c *ent.ToolCall) error {
	started := time.Now()
	var result tool.Result
	name := t.toolName(c)
	ctx, end := telemetry.ToolCall(ctx, name)
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) (err error) {
		result, err = t.call(ctx, t.Tasks.In(tx), c)
		if err != nil {
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
	end(err, result.Failed)
	if err != nil {
		c.Status, c.Result, c.LatencyMs = enum.ToolCallStarted, nil, nil
		return err
	}
	took := time.Since(started)
	t.Observer.ToolCall(name, took, result.Failed)
	t.Logger.InfoContext(ctx, "tool call", "user_id", t.job.UserID, "conversation_id", t.job.ConversationID,
		"tool_name", name, "latency_ms", took.Milliseconds(), "failed", result.Failed)
	t.changed()
	t.Tasks.NotifyChanged(t.job.UserID)
	return nil
}

// toolName is the call's tool as operators see it: a name that the model made up may hold anything.
func (t *turn) toolName(c *ent.ToolCall) string {
	if t.Tools.Find(c.Name) == nil {
		return "unknown"
	}
	return c.Name
}

func (t *turn) call(ctx context.Context, tasks tool.Tasks, c *ent.ToolCall) (tool.Result, error) {
	if c.Seq >= t.Limits.ToolCalls {
		return tool.FailedResult(
			apperr.New(apperr.RateLimited, "A turn may use tools %d times; this call is one too many.", t.Limits.ToolCalls),
		), nil
	}
	if refused, ok := t.guard(c); !ok {
		return refused, nil
	}
	ctx = viewer.NewContext(ctx, viewer.Viewer{UserID: t.job.UserID, Actor: viewer.ActorAgent, ToolCallID: c.ID})
	return t.Tools.Call(ctx, tasks, c.Name, c.Arguments)
}
