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
	"errand/internal/phrase"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/tool"
)

// errNeedsApproval ends the transaction of a call that needs approval, so that its effects are rolled back.
var errNeedsApproval = errors.New("agent: the call needs approval")

// approvals decides which calls of a turn need the user's approval.
type approvals struct {
	policy enum.ApprovalPolicy
	naming *tool.Naming
	// resolved is set when the objects in naming were looked up.
	resolved bool
	// made are the changes that calls of the turn have made without approval, or propose.
	made []enum.ProposedChange
	// asks holds the calls of the last step that need approval because of the others.
	asks map[string]bool
}

// loadApprovals reads the changes that earlier attempts and replies of the turn have made.
func (t *turn) loadApprovals(ctx context.Context) error {
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

// hasReadStoredText reports whether the model has seen a result that may hold text of others. Its own new tasks
// are not.
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

// resolveNaming looks up the tasks that the user's words name, once for an attempt, if a decision may depend on
// them. In a reply that continues a turn, tasks of the same name may be gone already: a name that is certain now was
// not when the user used it.
func (t *turn) resolveNaming(ctx context.Context) error {
	if t.approvals.resolved || len(t.earlierSteps) > 0 || !t.hasReadStoredText() {
		return nil
	}
	if err := t.approvals.naming.Resolve(ctx, t.Tasks); err != nil {
		return fmt.Errorf("finding the tasks that the message names: %w", err)
	}
	t.approvals.resolved = true
	return nil
}

// runTogether runs the pending calls of the last step in one transaction, when several of them change tasks, and
// reports whether it has. Calls are decided together, so that of "delete these three" none is done before the user was
// asked: if one needs approval, the transaction is rolled back, and t.approvals.asks holds those that do.
func (t *turn) runTogether(ctx context.Context) (done bool, err error) {
	t.approvals.asks = map[string]bool{}
	if err := t.resolveNaming(ctx); err != nil {
		return false, err
	}
	var pending []*ent.ToolCall
	changing := 0
	for _, c := range t.steps[len(t.steps)-1].calls {
		if c.Status != enum.ToolCallStarted {
			continue
		}
		pending = append(pending, c)
		if !t.readsOnly(c) {
			changing++
		}
	}
	if changing < 2 {
		return false, nil
	}
	var calls []executedCall
	err = t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		calls = nil
		tasks := t.Tasks.In(tx)
		for _, c := range pending {
			executed, err := t.execute(ctx, tasks, c)
			if err != nil {
				return err
			}
			calls = append(calls, executed)
		}
		if t.askTogether(calls) {
			return errNeedsApproval
		}
		for _, executed := range calls {
			if err := t.storeResult(ctx, tx, executed); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errNeedsApproval):
		return false, nil
	case err != nil:
		return false, err
	}
	t.finishCalls(ctx, calls...)
	return true, nil
}

// askTogether reports whether a call needs approval, and records which ones do.
func (t *turn) askTogether(calls []executedCall) (asks bool) {
	for i, executed := range calls {
		if len(executed.changes) == 0 {
			continue
		}
		var others []enum.ProposedChange
		for j, other := range calls {
			if j != i {
				others = append(others, other.changes...)
			}
		}
		if t.decide(executed.call, executed.changes, others) == tool.Ask {
			t.approvals.asks[executed.call.ID] = true
			asks = true
		}
	}
	return asks
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

// propose stores that a call needs approval. Its effects were rolled back; made is what it would have returned.
func (t *turn) propose(
	ctx context.Context, c *ent.ToolCall, changes []enum.ProposedChange, made tool.Result,
) error {
	expires := ids.Now().Add(t.ApprovalTTL)
	var result *string
	if len(made.Skipped) > 0 {
		result = new(tool.AwaitingResult(made.Skipped))
	}
	err := t.Runs.Do(ctx, t.job, func(ctx context.Context, tx *ent.Tx) error {
		update := store.Queue(tx).ToolCall.Update().
			Where(toolcall.ID(c.ID)).
			SetStatus(enum.ToolCallAwaiting).
			SetProposal(changes).
			SetNillableResult(result).
			SetExpiresAt(expires).
			SetUpdatedAt(ids.Now())
		if len(made.Choices) > 0 {
			update.SetChoices(made.Choices)
		}
		return update.Exec(ctx)
	})
	if err != nil {
		return err
	}
	c.Status, c.Proposal, c.ExpiresAt, c.Result = enum.ToolCallAwaiting, changes, &expires, result
	t.approvals.made = append(t.approvals.made, changes...)
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

// finishAsking completes the reply with a question: the model's own, if the text before the calls ends in one and no
// item of the calls failed.
func (t *turn) finishAsking(ctx context.Context) error {
	last := t.steps[len(t.steps)-1]
	var proposal []enum.ProposedChange
	var skipped []tool.Skipped
	for _, c := range last.calls {
		if c.Status == enum.ToolCallAwaiting {
			proposal = append(proposal, c.Proposal...)
			skipped = append(skipped, tool.SkippedOf(c.Result)...)
		}
	}
	if !endsInQuestion(last.text) || slices.ContainsFunc(skipped, tool.Skipped.Failed) {
		t.writer.beginStep()
		if err := t.appendText(ctx, t.approvalQuestion(proposal, skipped)); err != nil {
			return err
		}
	}
	return t.finish(ctx, run.Outcome{Status: enum.MessageCompleted})
}

func endsInQuestion(text string) bool {
	text = strings.TrimRight(text, " \n\t*_\"”'’)")
	return strings.HasSuffix(text, "?") || strings.HasSuffix(text, "？") || strings.HasSuffix(text, "؟")
}

// approvalQuestion asks for the approval of changes in the language of the user's message, and names the tasks that are
// not among them.
func (t *turn) approvalQuestion(proposal []enum.ProposedChange, skipped []tool.Skipped) string {
	l := phrase.Detect(t.userMessage)
	return l.Text(phrase.ApprovalIntro, phrase.Values{}) + "\n\n" + tool.ListChanges(l, proposal, skipped) + "\n\n" +
		l.Text(phrase.ApprovalQuestion, phrase.Values{})
}
