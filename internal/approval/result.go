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
// result, beside "approved"; one of several lists them.
func describe(
	ctx context.Context, tasks task.Tx, results []task.ProposalResult,
) (enum.ToolCallStatus, string, error) {
	made := 0
	items := make([]map[string]any, len(results))
	for i, r := range results {
		item := map[string]any{"reference": strconv.Itoa(r.Proposed.Number)}
		if r.Err != nil {
			e := apperr.From(r.Err)
			item["error"] = map[string]string{"code": string(e.Code), "message": e.Message}
			item["skipped"] = r.Proposed.Title
		} else {
			made++
			view, err := tool.DescribeTask(ctx, tasks, r.Task)
			if err != nil {
				return "", "", err
			}
			if err := merge(item, view); err != nil {
				return "", "", err
			}
			item["changed"] = r.Task.Version != r.Proposed.Version
		}
		items[i] = item
	}
	if made == 0 {
		return enum.ToolCallFailed, Result(Stale), nil
	}
	value := map[string]any{"approved": true, "results": items}
	if len(items) == 1 {
		value = items[0]
		value["approved"] = true
		delete(value, "reference")
	}
	b, err := json.Marshal(value)
	if err != nil {
		return "", "", fmt.Errorf("encoding the result: %w", err)
	}
	return enum.ToolCallSucceeded, string(b), nil
}

// merge adds the members of an object to item.
func merge(item map[string]any, object any) error {
	b, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(b, &item)
	}
	if err != nil {
		return fmt.Errorf("encoding the task: %w", err)
	}
	return nil
}
