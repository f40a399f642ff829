package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"errand/ent"
	"errand/internal/apperr"
	"errand/internal/task"
	"errand/internal/viewer"
)

const (
	undoArgsSchema = `{"type":"object","additionalProperties":false,"properties":{
		"change":{"type":"string","minLength":1,"maxLength":64,
		"description":"Id from recent_changes, or \"batch\" of an undo to redo; your last changes by default."}}}`
	undoResultSchema = `{"type":"object","additionalProperties":false,"properties":{
		"batch":{"type":"string","description":"Undo this to redo."},
		"count":{"type":"integer","description":"How many changes were undone."},
		"undone":{"type":"array","items":` + undoneSchema + `}}},
		"skipped":{"type":"array","items":` + undoneSchema + `,"reason":{"type":"string"}}}}}}`
	undoneSchema = `{"type":"object","additionalProperties":false,"required":["kind","number","title"],"properties":{
		"kind":{"type":"string"},"number":{"type":"integer"},"title":{"type":"string"}`
)

// maxUndoneListed is how many changes the result of undo lists.
const maxUndoneListed = 50

func undoChanges() *Tool {
	return &Tool{
		Name:         "undo",
		Title:        "Undo changes",
		Description:  "Takes back your last changes, or given ones.\nWhat was changed since is skipped and reported.",
		Schema:       json.RawMessage(undoArgsSchema),
		OutputSchema: json.RawMessage(undoResultSchema),
		Destructive:  true,
		handle:       handleUndo,
	}
}

// undoResult is the result of undo.
type undoResult struct {
	Batch   string       `json:"batch"`
	Count   int          `json:"count"`
	Undone  []undoneView `json:"undone"`
	Skipped []undoneView `json:"skipped,omitempty"`
}

// undoneView is a change that was undone or skipped. Title is the present one.
type undoneView struct {
	Kind   string `json:"kind"`
	Number int    `json:"number"`
	Title  string `json:"title"`
	Reason string `json:"reason,omitempty"`
}

func handleUndo(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
	var args struct {
		Change string `json:"change"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, fmt.Errorf("decoding arguments: %w", err)
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	var undo *task.Undo
	if args.Change == "" {
		undo, err = tasks.UndoLast(ctx)
	} else {
		undo, err = tasks.UndoChange(ctx, strings.TrimSpace(args.Change))
	}
	switch {
	case apperr.CodeOf(err) == apperr.NotFound && args.Change != "":
		return nil, noTask("change", "There is no change with this id. Leave the argument change out to undo your last "+
			"changes, or send an id that recent_changes lists.")
	case err != nil:
		return nil, err
	}
	return newUndoResult(undo, v.BatchID)
}

// newUndoResult describes the part of an undo that the call with the batch has made.
func newUndoResult(undo *task.Undo, batch string) (any, error) {
	found := map[string]*ent.Task{}
	for _, t := range undo.Tasks {
		found[t.ID] = t
	}
	view := func(c *ent.TaskChange) undoneView {
		u := undoneView{Kind: strings.ToLower(string(c.Kind))}
		if t := found[c.TaskID]; t != nil {
			u.Number, u.Title = t.Number, t.Title
		}
		return u
	}
	r := undoResult{Undone: []undoneView{}}
	for i, made := range undo.Changes {
		if made.BatchID == nil || batch != "" && *made.BatchID != batch {
			continue // by an earlier undo
		}
		r.Batch = *made.BatchID
		if r.Count++; r.Count <= maxUndoneListed {
			r.Undone = append(r.Undone, view(undo.Undone[i]))
		}
	}
	for i, s := range undo.Skipped {
		if i == maxUndoneListed {
			break
		}
		u := view(s.Change)
		u.Reason = s.Reason
		r.Skipped = append(r.Skipped, u)
	}
	switch {
	case r.Count > 0:
		return r, nil
	case len(undo.Changes) > 0:
		return nil, apperr.New(apperr.Conflict, "This is undone already. Undo %q to redo it.", *undo.BatchID)
	default:
		return nil, apperr.New(apperr.Conflict, "Nothing was undone. %s", strings.Join(lines(r.Skipped), " "))
	}
}

func (r undoResult) text() string {
	head := fmt.Sprintf("%d changes undone:", r.Count)
	if r.Count == 1 {
		head = "1 change undone:"
	}
	all := append([]string{head}, lines(r.Undone)...)
	if len(r.Skipped) > 0 {
		all = append(append(all, "Not undone:"), lines(r.Skipped)...)
	}
	return strings.Join(all, "\n")
}

func lines(views []undoneView) []string {
	out := make([]string, len(views))
	for i, v := range views {
		out[i] = strings.TrimSpace(fmt.Sprintf("%s task %d, %q. %s", v.Kind, v.Number, v.Title, v.Reason))
	}
	return out
}
