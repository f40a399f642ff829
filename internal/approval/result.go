package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/task"
	"errand/internal/tool"
)

// describe returns the status and the result of an approved call. A result of one change has the form of the tool's own
// result, beside "approved". One of several lists them, and then the items of the call that were not part of the
// proposal.
func describe(
	ctx context.Context, tasks task.Tx, results []task.ProposalResult, skipped []tool.Skipped,
) (enum.ToolCallStatus, string, error) {
	made := 0
	items := make([]any, 0, len(results)+len(skipped))
	for _, r := range results {
		if r.Err != nil {
			items = append(items, describeFailure(r))
			continue
		}
		item, err := describeTask(ctx, tasks, r)
		if err != nil {
			return "", "", err
		}
		items = append(items, item)
		made++
	}
	for _, s := range skipped {
		items = append(items, s)
	}
	status, value := enum.ToolCallSucceeded, map[string]any{"approved": true, "results": items}
	switch {
	case made == 0:
		status, value["error"] = enum.ToolCallFailed, errorOf(Stale)
	case len(items) == 1:
		value = items[0].(map[string]any) // of the change that was made
		value["approved"] = true
		delete(value, "reference")
	}
	b, err := json.Marshal(value)
	if err != nil {
		return "", "", fmt.Errorf("encoding the result: %w", err)
	}
	return status, string(b), nil
}

// describeFailure names the task of a proposed change that was not made, and the reason.
func describeFailure(r task.ProposalResult) map[string]any {
	e := apperr.From(r.Err)
	return map[string]any{
		"reference": strconv.Itoa(r.Proposed.Number),
		"skipped":   r.Proposed.Title,
		"error":     map[string]string{"code": string(e.Code), "message": e.Message},
	}
}

// describeTask returns the task of a proposed change that was made.
func describeTask(ctx context.Context, tasks task.Tx, r task.ProposalResult) (map[string]any, error) {
	item := map[string]any{"reference": strconv.Itoa(r.Proposed.Number)}
	view, err := tool.DescribeTask(ctx, tasks, r.Task)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(view)
	if err == nil {
		err = json.Unmarshal(b, &item)
	}
	if err != nil {
		return nil, fmt.Errorf("encoding the task: %w", err)
	}
	item["changed"] = r.Task.Version != r.Proposed.Version
	return item, nil
}
