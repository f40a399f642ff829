package task

import (
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/store"
	"errand/internal/terms"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

// Bounds of what a reference reads through the search index.
const (
	// maxHoldersRead is how many tasks that hold all words are compared, the newest first.
	maxHoldersRead = 500
	// maxSuggestionsRead is how many tasks that hold some of the words, or similar ones, are compared.
	maxSuggestionsRead = 600
	// maxSpellingsRead is how many different terms are compared with a word that no task has, and maxSpellingsUsed how
	// many similar ones are used.
	maxSpellingsRead = 500
	maxSpellingsUsed = 5
)

// rankIndexed is rankTitles for users with many tasks: it reads only the titles that the search index has for the
// words of the reference. Both find the same certain task. Candidates that have only some of the words, or similar
// words, come from the newest tasks with each word. ok is false if the index lacks tasks of the user.
func (o operations) rankIndexed(ctx context.Context, r reference, scope Scope) (found *ranking, ok bool, err error) {
	v, err := viewer.Require(ctx, viewer.TasksRead)
	if err != nil {
		return nil, false, err
	}
	named := r.named
	if len(named) == 0 {
		named = r.all
	}
	var matches []store.TermMatch
	for _, w := range named {
		matches = append(matches, w.matches()...)
	}
	if len(matches) == 0 {
		return nil, false, nil
	}
	matches = matches[:min(len(matches), terms.MaxSearch)] // fewer conditions find more tasks, which are compared
	plan, err := store.TaskTerms.Plan(ctx, o.client, v.UserID, matches, nil)
	if err != nil || plan.Stale {
		return nil, false, err
	}
	found = newRanking(r)
	read := map[int]bool{}
	add := func(limit int, where predicate.Task) (int, error) {
		rows, err := o.readTitles(ctx, scope, limit, where)
		for i := range rows {
			if !read[rows[i].Number] {
				read[rows[i].Number] = true
				found.add(&rows[i])
			}
		}
		return len(rows), err
	}
	if !plan.None() {
		n, err := add(maxHoldersRead+1, func(s *sql.Selector) { s.Where(plan.Matches(s, task.FieldNumber)) })
		if err == nil && n > maxHoldersRead { // more than one holds all words; an older one may have an equal title
			_, err = add(maxHoldersRead, func(s *sql.Selector) {
				titles := []store.TermMatch{{Terms: []string{titleTerm(r.all)}}, {Terms: []string{titleTerm(r.named)}}}
				s.Where(store.TaskTerms.Newest(s, task.FieldNumber, v.UserID, titles, maxHoldersRead))
			})
		}
		if err != nil {
			return nil, false, err
		}
	}
	if found.certain() != "" || len(found.best) == MaxCandidates {
		return found, true, nil
	}
	suggestions, err := o.suggestions(ctx, v.UserID, named)
	if err != nil {
		return nil, false, err
	}
	_, err = add(maxSuggestionsRead, func(s *sql.Selector) {
		s.Where(
			store.TaskTerms.Newest(s, task.FieldNumber, v.UserID, suggestions, maxSuggestionsRead/max(1, len(suggestions))),
		)
	})
	return found, true, err
}

// readTitles returns the titles of at most limit tasks in the scope that meet the condition, the newest first.
func (o operations) readTitles(
	ctx context.Context, scope Scope, limit int, where ...predicate.Task,
) (rows []titleRow, err error) {
	err = o.client.Task.Query().
		Where(scope.predicates()...).
		Where(where...).
		Order(task.ByNumber(sql.OrderDesc())).
		Limit(limit).
		Select(task.FieldID, task.FieldNumber, task.FieldTitle).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("reading titles: %w", err)
	}
	return rows, nil
}

// suggestions returns conditions on the terms of tasks that may be meant although they do not hold all words.
func (o operations) suggestions(ctx context.Context, userID string, named []word) ([]store.TermMatch, error) {
	var out []store.TermMatch
	for _, w := range named[:min(len(named), 10)] {
		if !w.isPlain() {
			out = append(out, w.matches()...)
			continue
		}
		whole := make([]store.TermMatch, 0, 4)
		for _, form := range w.forms() {
			whole = append(whole, store.TermMatch{Terms: []string{terms.Cut(form, false)}})
		}
		begun := store.TermMatch{Terms: whole[0].Terms, Prefix: true}
		out = append(append(out, whole...), begun)
		if min(utf8.RuneCountInString(w.text)/4, 2) == 0 || isDigits(w.text) {
			continue
		}
		plan, err := store.TaskTerms.Plan(ctx, o.client, userID, []store.TermMatch{begun}, nil)
		if err != nil {
			return nil, err
		}
		if !plan.None() {
			continue
		}
		similar, err := o.similarTerms(ctx, userID, w)
		if err != nil {
			return nil, err
		}
		for _, term := range similar {
			out = append(out, store.TermMatch{Terms: []string{term}})
		}
	}
	return out, nil
}

// similarTerms returns terms of the user's tasks that differ from a word by a typing error.
func (o operations) similarTerms(ctx context.Context, userID string, w word) ([]string, error) {
	var similar []string
	r := newRanking(reference{})
	text := []rune(w.text)
	for _, n := range []int{2, 1} { // most errors come after the second character
		beginning, err := store.TaskTerms.Beginning(ctx, o.client, userID, string(text[:n]), maxSpellingsRead)
		if err != nil {
			return nil, err
		}
		for _, term := range beginning {
			if len(similar) < maxSpellingsUsed && !slices.Contains(similar, term) && r.resembles([]word{{text: term}}, w) {
				similar = append(similar, term)
			}
		}
		if len(similar) > 0 {
			break
		}
	}
	return similar, nil
}

// isPlain reports whether the word is a term of the search index as it is.
func (w word) isPlain() bool {
	found := terms.Search(w.text)
	return len(found) == 1 && found[0] == terms.Query{Text: terms.Cut(w.text, false), Prefix: true} && !w.unspaced
}

// matches returns conditions on the terms of a title that holds the word.
func (w word) matches() []store.TermMatch {
	var out []store.TermMatch
	switch {
	case w.unspaced:
		for _, t := range terms.Search(w.text) {
			out = append(out, store.MatchOf(t))
		}
	case w.text != "":
		out = append(out, store.TermMatch{Terms: w.inflections()})
	}
	return out
}

// inflections returns all terms of which isHeldBy may be true for the word, except in scripts without spaces.
func (w word) inflections() []string {
	var out []string
	add := func(s string) {
		if s = terms.Cut(s, false); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, f := range w.forms() {
		add(f)
		n := len(f)
		if n < 2 || !terms.IsASCII(f) {
			continue
		}
		for _, ending := range []string{"s", "es", "ing", "ed", "d"} {
			add(f + ending)
		}
		add(f + f[n-1:] + "ing")
		add(f + f[n-1:] + "ed")
		switch f[n-1] {
		case 'e':
			add(f[:n-1] + "ing")
		case 'y':
			add(f[:n-1] + "ies")
			add(f[:n-1] + "ied")
		case 's': // a possessive of a title
			add(f[:n-1])
		}
	}
	return out
}
