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
)

// openTasksSize is how many tasks one reading of the open list holds.
const openTasksSize = 100

// openList is list_tasks of what is open, with the address of the rest.
func (s *Server) openList(ctx context.Context, after, label string) (any, error) {
	start := 0
	if after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 {
			return nil, apperr.Invalid("after", "\"after\" is the number of a task.")
		}
		start = n
	}
	list, err := s.readOpen(ctx, openTasksSize, start, label)
	if err != nil || len(list.Tasks) == 0 || len(list.Tasks) == list.Total {
		return list, err
	}
	// Long descriptions make lists shorter than was asked for: only the rest itself shows that there is one.
	last := list.Tasks[len(list.Tasks)-1].number
	rest, err := s.readOpen(ctx, 1, last, label)
	if err == nil && len(rest.Tasks) > 0 {
		list.More = openTasksAt(last, label)
	}
	return list, err
}

type openTasksView struct {
	Tasks []numbered `json:"tasks"`
	Total int        `json:"total"`
	More  string     `json:"more,omitempty"`
}

// numbered is a task as list_tasks shows it, with its number.
type numbered struct {
	json.RawMessage
	number int
}

// UnmarshalJSON keeps the text and reads the number.
func (n *numbered) UnmarshalJSON(b []byte) error {
	var task struct{ Number int }
	err := json.Unmarshal(b, &task)
	n.RawMessage, n.number = slices.Clone(b), task.Number
	return err
}

func (s *Server) readOpen(ctx context.Context, limit, after int, label string) (list openTasksView, err error) {
	args := map[string]any{"status": "pending", "limit": limit, "after": after}
	if label != "" {
		args["label"] = label
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

// openTasksAt is the resource of the open tasks with greater numbers, of those with the label if there is one.
func openTasksAt(after int, label string) string {
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
	return openTasksURI + "?" + strings.ReplaceAll(query.Encode(), "+", "%20") // URI templates know no "+"
}
