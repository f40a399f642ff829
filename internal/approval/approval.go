// Package approval decides tool calls that wait for the user's approval.
//
// A call is AWAITING_APPROVAL from the transaction that stores its proposal until exactly one decision, which makes it
// SUCCEEDED or FAILED. Nothing waits meanwhile: the call's turn has ended. All decisions are made in a transaction that
// holds the lock of the user's row and has read the call after taking it, so that a call is decided once, on any
// replica.
//
// The proposal names the changes, each with the version of its task. An approval makes exactly these changes, and skips
// those of tasks that have changed since.
package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/conversation"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/predicate"
	"errand/ent/rule"
	"errand/ent/run"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/viewer"
)

// The codes in the results of calls that were not approved. They are stored.
const (
	Rejected = "REJECTED"
	Expired  = "EXPIRED"
	Stale    = "STALE"
)

var explanations = map[string]string{
	Rejected: "The user did not approve this. Nothing was changed.",
	Expired:  "The user did not answer in time. Nothing was changed.",
	Stale:    "The user approved this, but every task has changed since. Nothing was changed.",
}

// Batch decides calls of one conversation in a transaction that holds the lock of the user's row.
type Batch struct {
	tx             *ent.Tx
	tasks          task.Tx
	conversationID string
	revision       int
	bytes          int64
}

// NewBatch returns a batch without decisions. revision is the position of the decisions among the changes to the user's
// conversations, which tx has assigned and with it locked the user's row.
func NewBatch(tx *ent.Tx, tasks *task.Service, conversationID string, revision int) *Batch {
	return &Batch{tx: tx, tasks: tasks.In(tx), conversationID: conversationID, revision: revision}
}

// Open returns a condition for calls that wait for a decision. It is served by an index.
func Open() predicate.ToolCall {
	return toolcall.And(toolcall.ExpiresAtNotNil(), toolcall.StatusEQ(enum.ToolCallAwaiting))
}

// OpenIn returns the viewer's open calls of a conversation, whether expired or not.
func OpenIn(ctx context.Context, client *ent.ToolCallClient, conversationID string) ([]*ent.ToolCall, error) {
	calls, err := client.Query().
		Where(Open(), toolcall.HasMessageWith(message.ConversationID(conversationID))).
		WithMessage().
		Order(toolcall.ByExpiresAt(), toolcall.BySeq()).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the open tool calls: %w", err)
	}
	return calls, nil
}

// IsExpired reports whether an open call can no longer be approved.
func IsExpired(c *ent.ToolCall, now time.Time) bool {
	return c.Status == enum.ToolCallAwaiting && c.ExpiresAt != nil && !now.Before(*c.ExpiresAt)
}

// Approve makes the proposed changes of an open call, whose message is loaded. The changes belong to the batch of the
// reply, which follows the decision. They are made within the scopes of the viewer and of the run that made the call.
// An expired call is ended instead.
func (b *Batch) Approve(ctx context.Context, c *ent.ToolCall, reply string) error {
	if IsExpired(c, ids.Now()) {
		return b.End(ctx, c, Expired)
	}
	started := time.Now()
	ctx, err := b.asCall(ctx, c, reply)
	if err != nil {
		return err
	}
	if _, err := viewer.Require(ctx, viewer.TasksWrite); err != nil {
		return b.end(ctx, c, enum.ToolCallFailed, tool.FailedResult(apperr.From(err)).JSON, 0)
	}
	results, err := b.tasks.ApplyProposal(ctx, b.tx, c.Proposal)
	if err != nil {
		return err
	}
	status, result, err := describe(ctx, b.tasks, results, tool.SkippedOf(c.Result))
	if err != nil {
		return err
	}
	return b.end(ctx, c, status, result, time.Since(started))
}

// asCall returns a context whose viewer acts as the call.
func (b *Batch) asCall(ctx context.Context, c *ent.ToolCall, reply string) (context.Context, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	origin, err := b.tx.Run.Query().Where(run.MessageID(c.MessageID)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the run of the tool call: %w", err)
	}
	scopes, ok := v.Scopes.Intersect(viewer.Scopes(origin.Scopes))
	if !ok {
		return nil, apperr.MissingScope(string(viewer.TasksWrite))
	}
	return viewer.NewContext(ctx, viewer.Viewer{
		UserID:     v.UserID,
		Actor:      viewer.ActorAgent,
		ToolCallID: c.ID,
		BatchID:    reply,
		Scopes:     scopes,
	}), nil
}

// End ends an open call without an effect. code is Rejected, Expired or Stale.
func (b *Batch) End(ctx context.Context, c *ent.ToolCall, code string) error {
	return b.end(ctx, c, enum.ToolCallFailed, Result(code), 0)
}

// Result returns the stored result of a call that was ended with the code.
func Result(code string) string {
	j, _ := json.Marshal(map[string]any{"error": errorOf(code)}) // strings always marshal
	return string(j)
}

func errorOf(code string) map[string]string {
	return map[string]string{"code": code, "message": explanations[code]}
}

// resultOf returns the stored result of a call, or "".
func resultOf(c *ent.ToolCall) string {
	if c.Result == nil {
		return ""
	}
	return *c.Result
}

// CodeOf returns the code with which a call was ended without an effect, or "".
func CodeOf(c *ent.ToolCall) string {
	var view struct{ Error struct{ Code string } }
	if c.Status != enum.ToolCallFailed || c.Result == nil || json.Unmarshal([]byte(*c.Result), &view) != nil {
		return ""
	}
	return view.Error.Code
}

func (b *Batch) end(
	ctx context.Context, c *ent.ToolCall, status enum.ToolCallStatus, result string, took time.Duration,
) error {
	err := b.tx.ToolCall.Update().
		Where(toolcall.ID(c.ID)).
		SetStatus(status).
		SetResult(result).
		SetLatencyMs(int(took.Milliseconds())).
		ClearExpiresAt().
		SetRevision(b.revision).
		SetUpdatedAt(ids.Now()).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("storing the decision: %w", err)
	}
	if c.Edges.Message != nil && c.Edges.Message.Status.Terminal() { // unfinished messages are counted later
		b.bytes += int64(len(result) - len(resultOf(c)))
	}
	return nil
}

// Bind makes a reply the one that follows the decision about open calls of the conversation, and that makes it.
func (b *Batch) Bind(ctx context.Context, calls []*ent.ToolCall, reply string) error {
	callIDs := make([]string, len(calls))
	for i, c := range calls {
		callIDs[i] = c.ID
	}
	err := b.tx.ToolCall.Update().
		Where(toolcall.IDIn(callIDs...)).
		SetDecisionMessageID(reply).
		SetUpdatedAt(ids.Now()).
		Exec(rule.SkipEdgeCheck(ctx, reply)) // this transaction has created the reply, or read it as the viewer
	if err != nil {
		return fmt.Errorf("storing the reply that decides: %w", err)
	}
	return nil
}

// Commit records the decisions in the conversation and the user's counters. It is the last step of the transaction.
func (b *Batch) Commit(ctx context.Context) error {
	v, err := viewer.Require(ctx)
	if err != nil {
		return err
	}
	v.Actor = viewer.ActorAgent // the mutation is counted by its caller
	d := quota.Delta{Bytes: b.bytes, BytesCheck: quota.Unchecked}
	if _, err := (quota.Limits{}).Apply(ctx, b.tx, v, d); err != nil {
		return err
	}
	err = b.tx.Conversation.Update().
		Where(conversation.ID(b.conversationID)).
		SetSeq(b.revision).
		SetRevision(b.revision).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("storing the revision of the conversation: %w", err)
	}
	return nil
}
