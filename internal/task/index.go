package task

import (
	"context"
	"fmt"
	"slices"

	"errand/ent"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/terms"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
)

// maxIndexedAtOnce is how many tasks IndexTasks indexes in a transaction: in the worst case 10,000 entries.
const maxIndexedAtOnce = 10

// planIndex sets the number of terms of a changed task, and returns the function that updates the search index.
func (w *changeWriter) planIndex(before, after *ent.Task) func(ctx context.Context) error {
	present := before.IndexedVersion == before.Version
	if present && before.Title == after.Title && before.Description == after.Description &&
		slices.Equal(before.Labels, after.Labels) {
		return func(context.Context) error { return nil }
	}
	entries := indexEntries(after)
	after.TermCount = len(entries)
	var old []string
	if present {
		old = indexEntries(before)
	}
	return func(ctx context.Context) error {
		tx, number := w.queue(), int64(after.Number)
		if !present && before.TermCount > 0 { // the indexed text is not known any more
			if err := store.TaskTerms.RemoveAll(ctx, tx, w.viewer.UserID, number); err != nil {
				return err
			}
		}
		if err := store.TaskTerms.Remove(ctx, tx, w.viewer.UserID, number, without(old, entries)); err != nil {
			return err
		}
		return store.TaskTerms.AddMissing(ctx, tx, w.viewer.UserID, number, without(entries, old))
	}
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	drop := make(map[string]bool, len(b))
	for _, s := range b {
		drop[s] = true
	}
	var out []string
	for _, s := range a {
		if !drop[s] {
			out = append(out, s)
		}
	}
	return out
}

// IndexTasks adds some of the viewer's tasks that the search index lacks: those that an earlier release wrote. It
// reports whether more remain. Searches find such tasks by reading their texts.
func (s *Service) IndexTasks(ctx context.Context) (more bool, err error) {
	v, err := viewer.Require(ctx, viewer.TasksWrite)
	if err != nil {
		return false, err
	}
	stale := func(sel *sql.Selector) {
		sel.Where(sql.ColumnsNEQ(sel.C(task.FieldIndexedVersion), sel.C(task.FieldVersion)))
	}
	exists, err := s.client.Task.Query().Where(stale).Order(task.ByUserID(), task.ByID()).Exist(ctx)
	if err != nil || !exists {
		return false, err
	}
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if err := quota.Lock(ctx, tx, v.UserID); err != nil {
			return err
		}
		found, err := tx.Task.Query().Where(stale).Order(task.ByID()).Limit(maxIndexedAtOnce).All(ctx)
		if err != nil {
			return fmt.Errorf("reading tasks: %w", err)
		}
		more = len(found) == maxIndexedAtOnce
		w := &changeWriter{tx: tx, viewer: v}
		for _, before := range found {
			if err := w.indexTask(ctx, before); err != nil {
				return err
			}
		}
		return nil
	})
	return more, err
}

// indexTask indexes the present version of a task, which stays unchanged.
func (w *changeWriter) indexTask(ctx context.Context, before *ent.Task) error {
	after := *before
	index := w.planIndex(before, &after)
	added := quota.Delta{Bytes: quota.TaskBytes(&after) - quota.TaskBytes(before), BytesCheck: quota.Unchecked}
	system := w.viewer
	system.Actor = viewer.ActorAgent // not a change that the user makes
	if _, err := w.limits.Apply(ctx, w.tx, system, added); err != nil {
		return err
	}
	err := w.queue().Task.Update().Where(task.ID(before.ID)).
		SetIndexedVersion(before.Version).
		SetTermCount(after.TermCount).
		SetUpdatedAt(before.UpdatedAt).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("writing the task: %w", err)
	}
	return index(ctx)
}

// indexed returns the conditions of a filter that use the search index: that each word of the search begins a word of
// the task, and that the task has one of each list of labels. list is for queries that read a page, and count for
// queries that count all tasks. rows are the conditions on the state of the tasks.
func (o operations) indexed(
	ctx context.Context, search string, words []string, labels [][]string, rows []predicate.Task,
) (list, count predicate.Task, err error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, nil, err
	}
	wanted := terms.Search(search)
	if len(words) > 0 && len(wanted) == 0 {
		none := func(s *sql.Selector) { s.Where(sql.False()) } // invisible characters only
		return none, none, nil
	}
	matches := make([]store.TermMatch, 0, len(wanted)+len(labels))
	for _, t := range wanted {
		matches = append(matches, store.MatchOf(t))
	}
	for _, spellings := range labels {
		m := store.TermMatch{}
		for _, label := range spellings {
			m.Terms = append(m.Terms, labelTerm(label))
		}
		matches = append(matches, m)
	}
	plan, err := store.TaskTerms.Plan(ctx, o.client, v.UserID, matches, func(s *sql.Selector) {
		for _, condition := range rows {
			condition(s)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	where := func(plan *store.TermSearch) predicate.Task {
		return func(s *sql.Selector) {
			found := plan.Matches(s, task.FieldNumber)
			if plan.Stale {
				found = sql.Or(found, unindexed(s, words, labels))
			}
			s.Where(found)
		}
	}
	return where(plan), where(plan.Counting()), nil
}

// unindexed is true for tasks that the search index lacks and that meet the conditions of indexed by their texts.
func unindexed(s *sql.Selector, words []string, labels [][]string) *sql.Predicate {
	all := []*sql.Predicate{sql.ColumnsNEQ(s.C(task.FieldIndexedVersion), s.C(task.FieldVersion))}
	if len(words) > 0 {
		all = append(all, store.ContainsAllWords(s, words, task.FieldTitle, task.FieldDescription))
	}
	for _, spellings := range labels {
		either := make([]*sql.Predicate, len(spellings))
		for i, label := range spellings {
			either[i] = sqljson.ValueContains(s.C(task.FieldLabels), label)
		}
		all = append(all, sql.Or(either...))
	}
	return sql.And(all...)
}
