package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"errand/internal/apperr"
	"errand/internal/viewer"
)

// openTasksSize is the largest number of tasks in one read of the open list.
const openTasksSize = 100

// openTasks returns the pending tasks after a number, as list_tasks shows them, with the URI of the next part.
func (s *Server) openTasks(ctx context.Context, after, label string) (any, error) {
	start, err := parseAfter(after)
	if err != nil {
		return nil, err
	}
	list, err := s.listOpenTasks(ctx, openTasksSize, start, label)
	if err != nil || len(list.Tasks) == 0 || len(list.Tasks) == list.Total {
		return list, err
	}
	// Long descriptions can make a list shorter than its limit, so only a read shows whether more follow.
	last := list.Tasks[len(list.Tasks)-1].number
	rest, err := s.listOpenTasks(ctx, 1, last, label)
	if err == nil && len(rest.Tasks) > 0 {
		list.More = openTasksURIOf(last, label)
	}
	return list, err
}

// parseAfter parses the query parameter "after"; 0 without one.
func parseAfter(after string) (int, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(after)
	if err != nil || n < 0 {
		return 0, apperr.Invalid("after", "\"after\" is the number of a task.")
	}
	return n, nil
}

type openTasksView struct {
	Tasks []taskJSON `json:"tasks"`
	Total int        `json:"total"`
	More  string     `json:"more,omitempty"`
}

// taskJSON is a task in the form of list_tasks, with its number.
type taskJSON struct {
	json.RawMessage
	number int
}

// UnmarshalJSON keeps the JSON and extracts the number.
func (n *taskJSON) UnmarshalJSON(b []byte) error {
	var task struct{ Number int }
	err := json.Unmarshal(b, &task)
	n.RawMessage, n.number = slices.Clone(b), task.Number
	return err
}

func (s *Server) listOpenTasks(ctx context.Context, limit, after int, label string) (list openTasksView, err error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return list, err
	}
	args := map[string]any{"status": "pending", "sort": "number", "limit": limit, "after": after}
	if label != "" {
		args["labels"] = label
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return list, fmt.Errorf("writing arguments: %w", err)
	}
	result, err := s.o.Tools.Call(ctx, s.o.Tasks, "list_tasks", string(raw))
	if err != nil {
		return list, err
	}
	if result.Failed {
		return list, apperr.New(apperr.BadUserInput, "%s", result.Text)
	}
	if err := json.Unmarshal([]byte(result.JSON), &list); err != nil {
		return list, fmt.Errorf("reading the open list: %w", err)
	}
	return list, nil
}

// openTasksURIOf returns the URI of the open tasks with numbers above after, restricted to label if set.
func openTasksURIOf(after int, label string) string {
	query := url.Values{}
	if after > 0 {
		query.Set("after", strconv.Itoa(after))
	}
	if label != "" {
		query.Set("label", label)
	}
	if len(query) == 0 {
		return openTasksURI
	}
	return openTasksURI + "?" + strings.ReplaceAll(query.Encode(), "+", "%20") // URI templates do not decode "+"
}
