package task

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Limits of the entries of the search index that the words of a search may begin, for each word and for all together.
// A word that begins more than its share matches whole words only, so that a search reads a bounded number of entries.
const (
	maxPrefixHits = 5_000
	maxSearchHits = 20_000
)

// maxIndexedAtOnce is how many tasks IndexTasks indexes in a transaction: in the worst case 10,000 entries.
const maxIndexedAtOnce = 10

// planIndex sets the number of terms of a changed task, and returns the function that updates the search index.
func (w *changeWriter) planIndex(before, after *ent.Task) func(ctx context.Context) error {
	present := before.IndexedVersion == before.Version
	if present && before.Title == after.Title && before.Description == after.Description {
		return func(context.Context) error { return nil }
	}
	terms := indexTerms(after.Title, after.Description)
	after.TermCount = len(terms)
	var old []string
	if present {
		old = indexTerms(before.Title, before.Description)
	}
	return func(ctx context.Context) error {
		tx := w.tx.Client()
		if !present && before.IndexedVersion > 0 { // the indexed text is not known any more
			if err := store.RemoveAllTerms(ctx, tx, w.viewer.UserID, after.Number); err != nil {
				return err
			}
		}
		if err := store.RemoveTerms(ctx, tx, w.viewer.UserID, after.Number, without(old, terms)); err != nil {
			return err
		}
		return store.AddTerms(ctx, tx, w.viewer.UserID, after.Number, without(terms, old))
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

// IndexTasks adds some of the viewer's tasks that the search index does not hold to it: those that an earlier release
// wrote. It reports whether more remain. Searches find such tasks by reading their texts.
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
	err := w.tx.Task.Update().Where(task.ID(before.ID)).
		SetIndexedVersion(before.Version).
		SetTermCount(after.TermCount).
		SetUpdatedAt(before.UpdatedAt).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("writing the task: %w", err)
	}
	return index(ctx)
}

// searchPredicate selects the tasks in which each term of the search occurs. Words match the beginnings of words.
func (o operations) searchPredicate(ctx context.Context, search string, words []string) (predicate.Task, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	terms := searchTerms(search)
	var prefixes []string
	for _, t := range terms {
		if t.kind == prefixTerm {
			prefixes = append(prefixes, t.text)
		}
	}
	limit := min(maxPrefixHits, maxSearchHits/max(1, len(prefixes)))
	hits, stale, err := store.PrefixHits(ctx, o.client, v.UserID, prefixes, limit+1)
	if err != nil {
		return nil, err
	}
	matches := make([]store.TermMatch, len(terms))
	for i, t := range terms {
		matches[i].Term = t.text
		if t.kind == prefixTerm {
			matches[i].Prefix, hits = hits[0] <= limit, hits[1:]
		}
	}
	return func(s *sql.Selector) {
		if len(matches) == 0 { // invisible characters only
			s.Where(sql.False())
			return
		}
		found := store.HasTerms(s, v.UserID, task.FieldNumber, matches)
		if stale {
			found = sql.Or(found, sql.And(
				sql.ColumnsNEQ(s.C(task.FieldIndexedVersion), s.C(task.FieldVersion)),
				store.ContainsAllWords(s, words, task.FieldTitle, task.FieldDescription),
			))
		}
		s.Where(found)
	}, nil
}
