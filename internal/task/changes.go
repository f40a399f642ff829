package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/predicate"
	"errand/ent/taskchange"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/store"

	"entgo.io/ent/dialect/sql"
)

const historyList = "changes"

// ChangesByTask are a page of each of the given tasks' changes, oldest first, by the
// task's id, in one query: versions count a task's changes without gaps.
func (s *Service) ChangesByTask(
	ctx context.Context,
	tasks []*ent.Task,
	args page.Args,
) (map[string]*page.TaskChangeConnection, error) {
	spans := make(map[string]page.Range, len(tasks))
	var ranges []predicate.TaskChange
	for _, t := range tasks {
		span, err := args.Range(historyList, t.Version)
		if err != nil {
			return nil, err
		}
		spans[t.ID] = span
		if span.From <= span.To {
			ranges = append(ranges, taskchange.And(taskchange.TaskID(t.ID),
				taskchange.TaskVersionGTE(span.From), taskchange.TaskVersionLTE(span.To)))
		}
	}
	var found []*ent.TaskChange
	if len(ranges) > 0 {
		var err error
		q := s.reader(ctx).TaskChange.Query().Where(taskchange.Or(ranges...)).Order(taskchange.ByTaskVersion())
		if columns := args.SelectColumns(taskchange.FieldID, taskchange.FieldTaskID, taskchange.FieldTaskVersion); columns != nil {
			q.Select(columns...)
		}
		if found, err = q.All(ctx); err != nil {
			return nil, fmt.Errorf("reading changes: %w", err)
		}
	}
	byTask := map[string][]*ent.TaskChange{}
	for _, c := range found {
		byTask[c.TaskID] = append(byTask[c.TaskID], c)
	}
	out := make(map[string]*page.TaskChangeConnection, len(tasks))
	for id, span := range spans {
		out[id] = page.BuildRange(
			span,
			byTask[id],
			func(c *ent.TaskChange) page.Cursor { return page.PositionCursor(historyList, c.TaskVersion) },
		)
	}
	return out, nil
}

// ChangesByID are those of the viewer's changes that exist, by id.
func (s *Service) ChangesByID(ctx context.Context, ids []string) (map[string]*ent.TaskChange, error) {
	return store.ByID(s.reader(ctx).TaskChange.Query().Where(taskchange.IDIn(ids...)).All(ctx))
}

// LastChangeSeq is the place of the viewer's newest change, 0 before the first.
func (s *Service) LastChangeSeq(ctx context.Context) (int, error) {
	u, err := s.person(ctx)
	if err != nil {
		return 0, err
	}
	return u.LastChange, nil
}

// ChangesAfter are the viewer's changes after a place, in order, with their
// tasks, at most limit. When the viewer's account is gone it is NOT_FOUND.
func (s *Service) ChangesAfter(ctx context.Context, place, limit int) ([]*ent.TaskChange, error) {
	found, err := s.reader(ctx).TaskChange.Query().Where(taskchange.SeqGT(place)).
		Order(taskchange.BySeq(sql.OrderAsc())).Limit(limit).WithTask().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	if len(found) > 0 {
		return found, nil
	}
	exists, err := s.reader(ctx).User.Query().Exist(ctx)
	if err == nil && !exists {
		err = apperr.Missing("account")
	}
	return nil, err
}
