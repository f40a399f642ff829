package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// historyList is the name of a task's history in page cursors.
const historyList = "changes"

// ChangesByTask returns a page of each task's changes, oldest first, keyed by task ID.
// It takes one query for all tasks, because a task's versions count its changes
// without gaps: a page is a range of versions.
func (o operations) ChangesByTask(
	ctx context.Context,
	tasks []*ent.Task,
	args page.Args,
) (map[string]*page.TaskChangeConnection, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	spans := make(map[string]page.Range, len(tasks))
	var ranges []store.KeyRange
	for _, t := range tasks {
		span, err := args.Range(historyList, t.Version)
		if err != nil {
			return nil, err
		}
		spans[t.ID] = span
		if span.From <= span.To {
			ranges = append(ranges, store.KeyRange{Key: t.ID, First: span.From, Last: span.To})
		}
	}
	byTask, err := o.changesInRanges(ctx, ranges, args)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*page.TaskChangeConnection, len(tasks))
	for id, span := range spans {
		cursor := func(c *ent.TaskChange) page.Cursor { return page.PositionCursor(historyList, c.TaskVersion) }
		out[id] = page.BuildRange(span, byTask[id], cursor)
	}
	return out, nil
}

// changesInRanges returns the changes that match any of the ranges, by task ID and in order.
func (o operations) changesInRanges(
	ctx context.Context,
	ranges []store.KeyRange,
	args page.Args,
) (map[string][]*ent.TaskChange, error) {
	if len(ranges) == 0 {
		return nil, nil
	}
	inRanges := func(s *sql.Selector) {
		store.InRanges(s, taskchange.FieldTaskID, taskchange.FieldTaskVersion, ranges)
	}
	q := o.client.TaskChange.Query().Where(inRanges).Order(taskchange.ByTaskVersion())
	if columns := args.SelectColumns(
		taskchange.FieldID,
		taskchange.FieldTaskID,
		taskchange.FieldTaskVersion,
	); columns != nil {
		q.Select(columns...)
	}
	found, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	byTask := map[string][]*ent.TaskChange{}
	for _, c := range found {
		byTask[c.TaskID] = append(byTask[c.TaskID], c)
	}
	return byTask, nil
}

// ChangesByID returns the viewer's changes with the given IDs, keyed by ID. Unknown IDs are left out.
func (o operations) ChangesByID(ctx context.Context, ids []string) (map[string]*ent.TaskChange, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	return store.ByID(o.client.TaskChange.Query().Where(taskchange.IDIn(ids...)).All(ctx))
}

// LastChangeSeq returns the sequence number of the viewer's newest change, 0 before the first.
func (o operations) LastChangeSeq(ctx context.Context) (int, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return 0, err
	}
	u, err := o.user(ctx)
	if err != nil {
		return 0, err
	}
	return u.LastChange, nil
}

// ChangesAfter returns at most limit of the viewer's changes with a sequence number
// above seq, in order, each with its task. It returns NOT_FOUND when the viewer's account was deleted.
func (o operations) ChangesAfter(ctx context.Context, seq, limit int) ([]*ent.TaskChange, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	found, err := o.client.TaskChange.Query().
		Where(taskchange.SeqGT(seq)).
		Order(taskchange.BySeq(sql.OrderAsc())).
		Limit(limit).
		WithTask().
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	if len(found) > 0 {
		return found, nil
	}
	exists, err := o.client.User.Query().Exist(ctx)
	if err == nil && !exists {
		err = apperr.Missing("account")
	}
	return nil, err
}
