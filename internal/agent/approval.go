package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/taskchange"
	"errand/ent/toolcall"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/run"
	"errand/internal/tool"
)

// errNeedsApproval ends the transaction of a call that needs approval, so that its effects are rolled back.
var errNeedsApproval = errors.New("agent: the call needs approval")

// errTried ends the transaction in which a step was tried.
var errTried = errors.New("agent: the step was tried")

// approvals decides which calls of a turn need the user's approval.
type approvals struct {
	policy enum.ApprovalPolicy
	naming tool.Naming
	// made are the changes that calls of the turn have made without approval, or propose.
	made []enum.ProposedChange
	// asks holds the calls of the last step that need approval because of the others.
	asks map[string]bool
	// skipped are the lines about tasks for which proposed calls do nothing, approved or not.
	skipped []string
}

// loadApprovals reads the user's policy and the changes that earlier attempts and replies of the turn have made.
func (t *turn) loadApprovals(ctx context.Context) error {
	u, err := t.Client.User.Get(ctx, t.job.UserID)
	if err != nil {
		return fmt.Errorf("reading the approval policy: %w", err)
	}
	t.approvals.policy = u.ApprovalPolicy
	t.approvals.naming = tool.NewNaming(t.userMessage, t.question)
	var executed, batches []string
	for _, s := range slices.Concat(t.earlierSteps, t.steps) {
		for _, c := range s.calls {
			switch {
			case c.Status == enum.ToolCallAwaiting:
				t.approvals.made = append(t.approvals.made, c.Proposal...)
			case c.Status == enum.ToolCallSucceeded && len(c.Proposal) == 0 && !t.readsOnly(c):
				executed, batches = append(executed, c.ID), append(batches, c.MessageID)
			}
		}
	}
	if len(executed) == 0 {
		return nil
	}
	changes, err := t.Client.TaskChange.Query().
		Where(taskchange.BatchIDIn(batches...), taskchange.ToolCallIDIn(executed...)). // the batch has an index
		Order(taskchange.BySeq()).
		Select(taskchange.FieldTaskID, taskchange.FieldKind).
		All(ctx)
	if err != nil {
		return fmt.Errorf("reading the changes of the turn: %w", err)
	}
	for _, c := range changes {
		t.approvals.made = append(t.approvals.made, enum.ProposedChange{TaskID: c.TaskID, Kind: c.Kind})
	}
	return nil
}

func (t *turn) readsOnly(c *ent.ToolCall) bool {
	found := t.Tools.Find(c.Name)
	return found == nil || found.ReadOnly
}

// hasReadStoredText reports whether the model has seen a result that may hold text of others. Its own new tasks are not.
func (t *turn) hasReadStoredText() bool {
	for _, s := range slices.Concat(t.earlierSteps, t.steps[:max(0, len(t.steps)-1)]) {
		for _, c := range s.calls {
			if c.Result != nil && c.Name != "add_task" {
				return true
			}
		}
	}
	return false
}

// decide applies the policy to the changes of a call. others are changes that are decided with it.
func (t *turn) decide(c *ent.ToolCall, changes, others []enum.ProposedChange) tool.Approval {
	return tool.ApprovalRequest{
		Mode:           t.approvals.policy.Mode(c.Name),
		Changes:        changes,
		Earlier:        slices.Concat(t.approvals.made, others),
		ReadStoredText: t.hasReadStoredText(),
		Named:          t.approvals.naming.Names,
		MaxChanges:     t.Limits.Changes,
	}.Decide()
}

// tryStep finds out which calls of the last step need approval, when it has several that change tasks: it makes them all
// in a transaction that is rolled back. Calls are decided together, so that of "delete these three" none is done before
// the user was asked.
func (t *turn) tryStep(ctx context.Context) error {
	t.approvals.asks = map[string]bool{}
	var pending []*ent.ToolCall
	for _, c := range t.steps[len(t.steps)-1].calls {
		if c.Status == enum.ToolCallStarted && !t.readsOnly(c) {
			pending = append(pending, c)
		}
	}
	if len(pending) < 2 {
		return nil
	}
	changes := make([][]enum.ProposedChange, len(pending))
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		tasks := t.Tasks.In(tx)
		for i, c := range pending {
			before := len(tasks.Changes())
			if _, err := t.applyToolCall(ctx, tasks, c); err != nil {
				return err
			}
			changes[i] = slices.Clone(tasks.Changes()[before:])
		}
		return errTried
	})
	if !errors.Is(err, errTried) {
		return err
	}
	for i, c := range pending {
		others := slices.Concat(slices.Concat(changes[:i]...), slices.Concat(changes[i+1:]...))
		t.approvals.asks[c.ID] = t.decide(c, changes[i], others) == tool.Ask
	}
	return nil
}

// checkApproval returns errNeedsApproval if the changes of a call need approval.
func (t *turn) checkApproval(c *ent.ToolCall, changes []enum.ProposedChange) error {
	if len(changes) > 0 && (t.approvals.asks[c.ID] || t.decide(c, changes, nil) == tool.Ask) {
		return errNeedsApproval
	}
	return nil
}

// refused returns the result of a call whose tool the user does not allow.
func (t *turn) refused(c *ent.ToolCall) (tool.Result, bool) {
	if t.approvals.policy.Mode(c.Name) != enum.ApprovalNever || t.readsOnly(c) {
		return tool.Result{}, false
	}
	return tool.FailedResult(apperr.New(apperr.Forbidden, "The user does not allow this tool (approval policy).")), true
}

// propose stores that a call needs approval. Its effects were rolled back.
func (t *turn) propose(
	ctx context.Context, c *ent.ToolCall, changes []enum.ProposedChange, skipped []string,
) error {
	expires := ids.Now().Add(t.ApprovalTTL)
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		return tx.ToolCall.Update().
			Where(toolcall.ID(c.ID)).
			SetStatus(enum.ToolCallAwaiting).
			SetProposal(changes).
			SetExpiresAt(expires).
			SetUpdatedAt(ids.Now()).
			Exec(ctx)
	})
	if err != nil {
		return err
	}
	c.Status, c.Proposal, c.ExpiresAt = enum.ToolCallAwaiting, changes, &expires
	t.approvals.made = append(t.approvals.made, changes...)
	t.approvals.skipped = append(t.approvals.skipped, skipped...)
	t.Logger.InfoContext(ctx, "tool call awaits approval", "user_id", t.job.UserID,
		"conversation_id", t.job.ConversationID, "tool_name", t.toolName(c), "tasks", len(changes))
	t.notifyChanged()
	return nil
}

// awaitsApproval reports whether a call of the last step needed approval. The turn ends with the step.
func (t *turn) awaitsApproval() bool {
	return len(t.steps) > 0 && slices.ContainsFunc(t.steps[len(t.steps)-1].calls, func(c *ent.ToolCall) bool {
		return len(c.Proposal) > 0
	})
}

// finishAsking completes the reply with a question: the model's own, if the text before the calls ends in one.
func (t *turn) finishAsking(ctx context.Context) error {
	last := t.steps[len(t.steps)-1]
	if !endsInQuestion(last.text) || len(t.approvals.skipped) > 0 {
		var proposal []enum.ProposedChange
		for _, c := range last.calls {
			if c.Status == enum.ToolCallAwaiting {
				proposal = append(proposal, c.Proposal...)
			}
		}
		t.writer.beginStep()
		if err := t.appendText(ctx, approvalQuestion(proposal, t.approvals.skipped)); err != nil {
			return err
		}
	}
	return t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
}

func endsInQuestion(text string) bool {
	text = strings.TrimRight(text, " \n\t*_\"”'’)")
	return strings.HasSuffix(text, "?") || strings.HasSuffix(text, "？") || strings.HasSuffix(text, "؟")
}

// approvalQuestion asks for the approval of changes, and names the tasks that are not among them.
func approvalQuestion(proposal []enum.ProposedChange, skipped []string) string {
	list := strings.Join(append([]string{tool.ListChanges(proposal)}, skipped...), "\n")
	return "This needs your approval:\n\n" + list + "\n\nShall I go ahead? Answer “yes” or “no”."
}
