package chat

import (
	"context"
	"fmt"
	"slices"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/approval"
	"errand/internal/ids"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/tool"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

const (
	// maxDecided is how many tool calls one request may decide.
	maxDecided = 100
	// maxPending is how many tool calls PendingApprovals returns.
	maxPending = 100
	// maxReplies is how many replies one message may have, through retries and approvals. The prompt of a reply begins
	// with the message and all earlier replies to it.
	maxReplies = 40
)

// Decision is the result of ApproveToolCalls and RejectToolCalls.
type Decision struct {
	// ToolCalls are the calls after the decision, in the order of the IDs.
	ToolCalls    []*ent.ToolCall
	Conversation *ent.Conversation
	// AssistantMessage is the reply that follows an approval; nil after a rejection.
	AssistantMessage *ent.Message
}

// ConversationEdge returns the conversation as an edge of the list of conversations.
func (d *Decision) ConversationEdge() *page.ConversationEdge { return ConversationEdge(d.Conversation) }

// AssistantMessageEdge returns the reply as an edge of the conversation's messages, or nil.
func (d *Decision) AssistantMessageEdge() *page.MessageEdge {
	if d.AssistantMessage == nil {
		return nil
	}
	return MessageEdge(d.AssistantMessage)
}

// ApproveToolCalls makes the proposed changes of tool calls of one reply, and adds a reply that knows the results. The
// reply is the batch of the changes. Calls that are approved already are left as they are, so that a repeated request
// returns the same result. It is CONFLICT if all calls were rejected or have expired.
//
// Only the user in person can approve: not the agent, and not an MCP client.
func (s *Service) ApproveToolCalls(ctx context.Context, callIDs []string) (*Decision, error) {
	v, err := viewer.Require(ctx, viewer.Chat, viewer.TasksWrite)
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, v, callIDs, s.approve)
}

// RejectToolCalls ends tool calls of one reply without an effect. Calls that are rejected already are left as they are.
// It is CONFLICT if all calls were approved or have expired.
func (s *Service) RejectToolCalls(ctx context.Context, callIDs []string) (*Decision, error) {
	v, err := viewer.Require(ctx, viewer.Chat)
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, v, callIDs, s.reject)
}

// decision is a decision in progress, in a transaction that holds the lock of the user's row.
type decision struct {
	tx     *ent.Tx
	viewer viewer.Viewer
	batch  *approval.Batch
	// calls are all calls of the request, open those that can still be decided.
	calls, open    []*ent.ToolCall
	conversationID string
	revision       int
	// refusal is the error to return after the commit.
	refusal error
	// wake is set when a run was added.
	wake bool
}

// decide runs a decision about the calls in a transaction.
func (s *Service) decide(
	ctx context.Context,
	v viewer.Viewer,
	callIDs []string,
	apply func(ctx context.Context, d *decision) error,
) (*Decision, error) {
	if v.Actor != viewer.ActorUser {
		return nil, apperr.New(apperr.Forbidden, "Only the user in person can decide about tool calls.")
	}
	conversationID, err := s.checkDecided(ctx, callIDs)
	if err != nil {
		return nil, err
	}
	d := &decision{viewer: v, conversationID: conversationID}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		seq, err := s.limits.Quota.Apply(ctx, tx, v, quota.Delta{ConversationChanges: 1})
		if err != nil {
			return err
		}
		d.tx, d.revision = tx, seq.ConversationChange
		d.batch = approval.NewBatch(tx, s.tasks, conversationID, d.revision)
		if d.calls, err = readCalls(ctx, tx.ToolCall, callIDs); err != nil {
			return err
		}
		for _, c := range d.calls {
			switch {
			case c.Status != enum.ToolCallAwaiting:
			case approval.IsExpired(c, ids.Now()):
				if err := d.batch.End(ctx, c, approval.Expired); err != nil {
					return err
				}
			default:
				d.open = append(d.open, c)
			}
		}
		if err := apply(ctx, d); err != nil {
			return err
		}
		return d.batch.Commit(ctx)
	})
	if err != nil {
		return nil, err
	}
	s.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: conversationID})
	s.hub.PublishConversationChange(v.UserID, false)
	if d.wake {
		s.tasks.NotifyChanged(v.UserID)
		s.runs.Wake()
	}
	if d.refusal != nil {
		return nil, d.refusal
	}
	return s.readDecision(ctx, v, callIDs)
}

// checkDecided validates the IDs of a decision, and returns the conversation of the calls.
func (s *Service) checkDecided(ctx context.Context, callIDs []string) (conversationID string, err error) {
	if len(callIDs) < 1 || len(callIDs) > maxDecided {
		return "", apperr.Invalid("ids", "1 to %d tool calls can be decided at once, not %d.", maxDecided, len(callIDs))
	}
	calls, err := readCalls(ctx, s.client.ToolCall, callIDs)
	if err != nil {
		return "", err
	}
	for _, c := range calls {
		if c.MessageID != calls[0].MessageID {
			return "", apperr.Invalid("ids", "The tool calls must belong to one reply.")
		}
		if len(c.Proposal) == 0 {
			return "", apperr.Invalid("ids", "One of the tool calls needs no approval.")
		}
	}
	return calls[0].Edges.Message.ConversationID, nil
}

// readCalls returns the viewer's tool calls with their messages, in the order of the IDs and each once, or NOT_FOUND.
func readCalls(ctx context.Context, client *ent.ToolCallClient, callIDs []string) ([]*ent.ToolCall, error) {
	found, err := store.ByID(client.Query().Where(toolcall.IDIn(callIDs...)).WithMessage().All(ctx))
	if err != nil {
		return nil, fmt.Errorf("reading tool calls: %w", err)
	}
	calls := make([]*ent.ToolCall, 0, len(callIDs))
	for _, id := range callIDs {
		c := found[id]
		if c == nil {
			return nil, apperr.Missing("tool call")
		}
		if !slices.Contains(calls, c) {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

// readDecision returns the stored result of a decision.
func (s *Service) readDecision(ctx context.Context, v viewer.Viewer, callIDs []string) (*Decision, error) {
	calls, err := readCalls(ctx, s.client.ToolCall, callIDs)
	if err != nil {
		return nil, err
	}
	d := &Decision{ToolCalls: calls}
	d.Conversation, err = s.FindConversation(ctx, calls[0].Edges.Message.ConversationID)
	if err == nil && d.Conversation == nil {
		err = apperr.Missing("conversation")
	}
	if err != nil {
		return nil, err
	}
	for _, c := range calls {
		if c.DecisionMessageID == nil || approval.CodeOf(c) == approval.Rejected || d.AssistantMessage != nil {
			continue
		}
		d.AssistantMessage, err = s.client.Message.Get(ctx, *c.DecisionMessageID)
		if err != nil {
			return nil, fmt.Errorf("reading the reply after the decision: %w", err)
		}
	}
	tool.RedactCalls(v.Scopes, calls)
	return d, nil
}

// approve implements ApproveToolCalls.
func (s *Service) approve(ctx context.Context, d *decision) error {
	if len(d.open) == 0 {
		for _, c := range d.calls {
			if c.Status == enum.ToolCallSucceeded || approval.CodeOf(c) == approval.Stale {
				return nil // a repeated request
			}
		}
		d.refusal = errDecided(d.calls[0])
		return nil
	}
	reply, err := s.replyAfterApproval(ctx, d)
	if err != nil {
		return err
	}
	if err := d.batch.Bind(ctx, d.open, reply); err != nil {
		return err
	}
	for _, c := range d.open {
		if err := d.batch.Approve(ctx, c, reply); err != nil {
			return err
		}
	}
	d.wake = true
	return nil
}

// reject implements RejectToolCalls.
func (s *Service) reject(ctx context.Context, d *decision) error {
	if len(d.open) == 0 {
		for _, c := range d.calls {
			if approval.CodeOf(c) == approval.Rejected {
				return nil // a repeated request
			}
		}
		d.refusal = errDecided(d.calls[0])
		return nil
	}
	for _, c := range d.open {
		if err := d.batch.End(ctx, c, approval.Rejected); err != nil {
			return err
		}
	}
	return nil
}

func errDecided(c *ent.ToolCall) error {
	switch approval.CodeOf(c) {
	case approval.Rejected:
		return apperr.New(apperr.Conflict, "The tool call was rejected.")
	case "":
		if c.Status == enum.ToolCallSucceeded {
			return apperr.New(apperr.Conflict, "The tool call was approved.")
		}
		return apperr.New(apperr.Conflict, "The approval has expired.") // in this transaction
	case approval.Expired:
		return apperr.New(apperr.Conflict, "The approval has expired.")
	default:
		return apperr.New(apperr.Conflict, "The tool call has been decided.")
	}
}

// replyAfterApproval returns the ID of the reply that knows the results: the unfinished one to the user's "yes" that
// has not decided yet, or else a new one at the end of the conversation.
func (s *Service) replyAfterApproval(ctx context.Context, d *decision) (string, error) {
	if bound := d.open[0].DecisionMessageID; bound != nil {
		m, err := d.tx.Message.Get(ctx, *bound)
		if err != nil {
			return "", fmt.Errorf("reading the reply that decides: %w", err)
		}
		if !m.Status.Terminal() {
			return m.ID, nil
		}
	}
	if err := s.checkReplyRate(ctx, d.tx); err != nil {
		return "", err
	}
	c, err := d.tx.Conversation.UpdateOneID(d.conversationID).
		AddMessageCount(1).
		SetSeq(d.revision).
		ClearArchivedAt().
		Save(ctx)
	if ent.IsNotFound(err) {
		return "", apperr.Missing("conversation")
	}
	if err != nil {
		return "", fmt.Errorf("locking the conversation: %w", err)
	}
	sent, err := d.tx.Message.Query().
		Where(message.ConversationID(c.ID), message.RoleEQ(enum.RoleUser)).
		Order(message.ByPosition(sql.OrderDesc())).
		First(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the last message of the user: %w", err)
	}
	if c.MessageCount-sent.Position > maxReplies {
		return "", apperr.New(apperr.Conflict, "The message has too many replies: answer “yes” instead.")
	}
	scopes, err := runScopes(ctx, d.tx, d.open[0].MessageID)
	if err != nil {
		return "", err
	}
	v := d.viewer
	var ok bool
	if v.Scopes, ok = v.Scopes.Intersect(scopes); !ok || !v.Scopes.Allow(viewer.Chat) {
		return "", apperr.MissingScope(string(viewer.Chat))
	}
	ctx = rule.SkipEdgeCheck(viewer.NewContext(ctx, v), c.ID) // written as the viewer above
	reply, err := s.createReply(ctx, d.tx, c, ids.Now())
	if err != nil {
		return "", err
	}
	return reply.ID, nil
}
