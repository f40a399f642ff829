package agent

import (
	"context"
	"slices"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/approval"
	"errand/internal/quota"
	"errand/internal/tool"
	"errand/internal/viewer"
)

// resolveOpenCalls decides the tool calls of earlier replies that still wait for approval when this reply begins: those
// that the user's plain yes or no is bound to, and those that the user has passed over with another message. It reports
// whether it decided any. rows are the messages before the reply, newest first.
func (t *turn) resolveOpenCalls(ctx context.Context, replyID string, rows []*ent.Message) (bool, error) {
	open, err := approval.OpenIn(ctx, t.Client.ToolCall, t.job.ConversationID)
	if err != nil || len(open) == 0 {
		return false, err
	}
	n := leadingReplies(rows)
	if n == len(rows) {
		return false, nil
	}
	sent := rows[n]
	answering := []string{replyID} // this reply and those that it retries
	for _, m := range rows[:n] {
		answering = append(answering, m.ID)
	}
	decided := false
	err = t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		decided = false
		v, err := viewer.Require(ctx)
		if err != nil {
			return err
		}
		seq, err := (quota.Limits{}).Apply(ctx, tx, v, quota.Delta{ConversationChanges: 1})
		if err != nil {
			return err
		}
		if open, err = approval.OpenIn(ctx, tx.ToolCall, t.job.ConversationID); err != nil { // under the lock
			return err
		}
		b := approval.NewBatch(tx, t.Tasks, t.job.ConversationID, seq.ConversationChange)
		for _, c := range open {
			bound := c.DecisionMessageID != nil && slices.Contains(answering, *c.DecisionMessageID)
			if !bound && c.Edges.Message.Position > sent.Position {
				continue // of a reply to the same message: the user may still approve it
			}
			decided = true
			yes, plain := tool.ReadYesNo(sent.Content)
			if bound && plain && yes {
				err = b.Bind(ctx, []*ent.ToolCall{c}, replyID)
				if err == nil {
					err = b.Approve(ctx, c, replyID)
				}
			} else {
				err = b.End(ctx, c, approval.Rejected)
			}
			if err != nil {
				return err
			}
		}
		return b.Commit(ctx)
	})
	if err != nil || !decided {
		return false, err
	}
	t.notifyChanged()
	t.Hub.PublishConversationChange(t.job.UserID, false)
	t.Tasks.NotifyChanged(t.job.UserID)
	return true, nil
}

// skipAnswer returns the rows from the message on whose calls the newest message has decided, if that is a plain yes or
// no: the reply then continues that turn, with the results of the calls, as it does after approveToolCalls. rows begin
// with the newest message; the steps of the replies are added to t.earlierSteps.
func (t *turn) skipAnswer(rows []*ent.Message, answering []string) []*ent.Message {
	if _, plain := tool.ReadYesNo(rows[0].Content); !plain {
		return rows
	}
	before := rows[1:]
	n := leadingReplies(before)
	if n == len(before) || !slices.ContainsFunc(before[:n], func(m *ent.Message) bool {
		return slices.ContainsFunc(m.Edges.ToolCalls, func(c *ent.ToolCall) bool {
			return c.DecisionMessageID != nil && slices.Contains(answering, *c.DecisionMessageID)
		})
	}) {
		return rows
	}
	t.earlierSteps = slices.Concat(stepsOf(before[:n]), t.earlierSteps)
	return before[n:]
}

// questionBefore returns the text of the reply before the user's message, if it asks something. rows begin with that
// message.
func questionBefore(rows []*ent.Message) string {
	if len(rows) < 2 || rows[1].Role != enum.RoleAssistant {
		return ""
	}
	text := finalText(rows[1])
	if !endsInQuestion(text) {
		return ""
	}
	return text
}
