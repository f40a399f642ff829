package task

import (
	"context"
	"fmt"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/predicate"
	"errand/ent/task"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// Bounds of a search for the task that a reference names.
const (
	// MaxCandidates is how many candidates a match has.
	MaxCandidates = 10
	// maxTitlesRead is how many titles are compared, the newest first. If the user has more, none is certain.
	maxTitlesRead = 50_000
	// maxTitlesCompared is the number of tasks of a user up to which all titles are compared, without the search index.
	maxTitlesCompared = 1_000
	// titlesAtOnce is how many titles a query reads.
	titlesAtOnce = 2_000
)

// Scope selects the tasks that a reference may name: by default all tasks outside the trash.
type Scope struct {
	// Status is the completion state; nil means any.
	Status *enum.TaskStatus
	// Trashed selects the tasks in the trash instead.
	Trashed *bool
}

// Candidate is a task that a reference may name.
type Candidate struct {
	Task   *ent.Task
	Reason enum.MatchReason
}

// Match is the result of FindTaskByReference.
type Match struct {
	// Certain is the only task that the reference names, or nil.
	Certain *ent.Task
	// Candidates are the tasks that it may name if none is certain, the best first, at most MaxCandidates.
	Candidates []Candidate
}

// FindTaskByReference returns the viewer's task in the scope that a reference names: an ID, a number ("12", "#12",
// "task 12") or words of the title. Descriptions are not searched.
//
// A task is certain if it has the ID or the number, if its title equals the reference, or if it is the only one whose
// title holds all words of the reference. Case, accents, punctuation and the endings -s, -es, -ing and -ed are
// ignored, and so are the words of a closed list (reference.go); each other word counts, also numbers and single
// letters. The ending of a name counts: "Jens" is not "Jen" (words.go). Words that only select, such as "it" and "the
// last", are never certain. Other tasks, such as those that hold the beginnings of words or words with another
// spelling, are candidates. An empty reference, or one that is too long, is BAD_USER_INPUT.
func (o operations) FindTaskByReference(ctx context.Context, text string, scope Scope) (*Match, error) {
	if _, err := viewer.Require(ctx, viewer.TasksRead); err != nil {
		return nil, err
	}
	return o.findTaskAmong(ctx, text, scope, maxTitlesRead)
}

// findTaskAmong finds a task and compares at most the given number of titles.
func (o operations) findTaskAmong(ctx context.Context, text string, scope Scope, titles int) (*Match, error) {
	r, err := parseReference(text)
	if err != nil {
		return nil, err
	}
	id := strings.TrimSpace(text)
	if ids.Is(id, ids.Task) {
		t, err := o.findInScope(ctx, scope, task.ID(id))
		return certainMatch(t, err)
	}
	var numbered *ent.Task
	if r.number > 0 {
		if numbered, err = o.findInScope(ctx, scope, task.Number(r.number)); err != nil {
			return nil, err
		}
	}
	if numbered != nil {
		title := words(numbered.Title)
		if r.digits || holdsAll(title, r.named) {
			return certainMatch(numbered, nil)
		}
	}
	if r.number > 0 {
		r = r.withNumber()
	}
	found, err := o.rankTitles(ctx, r, scope, titles)
	if err != nil {
		return nil, err
	}
	if numbered != nil {
		found.addNumbered(numbered)
	}
	return o.match(ctx, found)
}

// findInScope returns the task in the scope that meets the condition, or nil.
func (o operations) findInScope(ctx context.Context, scope Scope, where predicate.Task) (*ent.Task, error) {
	t, err := o.client.Task.Query().Where(where).Where(scope.predicates()...).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a task: %w", err)
	}
	return t, nil
}

func (s Scope) predicates() []predicate.Task {
	f := Filter{Status: s.Status, Trashed: s.Trashed}
	if f.inTrash() {
		return append(f.statusPredicates(), task.DeletedAtNotNil())
	}
	return append(f.statusPredicates(), task.DeletedAtIsNil())
}

// titleRow is what the search reads of a task.
type titleRow struct {
	ID     string `sql:"id"`
	Number int    `sql:"number"`
	Title  string `sql:"title"`
}

// rankTitles compares the titles of the tasks in the scope with the reference: all of them if they are few, and
// otherwise those that the search index has for its words.
func (o operations) rankTitles(ctx context.Context, r reference, scope Scope, limit int) (*ranking, error) {
	u, err := o.user(ctx)
	if err != nil {
		return nil, err
	}
	if u.OpenTasks+u.CompletedTasks+u.TrashedTasks > maxTitlesCompared {
		if found, ok, err := o.rankIndexed(ctx, r, scope); ok || err != nil {
			return found, err
		}
	}
	return o.rankAllTitles(ctx, r, scope, limit)
}

// rankAllTitles compares all titles of the tasks in the scope with the reference.
func (o operations) rankAllTitles(ctx context.Context, r reference, scope Scope, limit int) (*ranking, error) {
	found := newRanking(r)
	for read, below := 0, 0; ; {
		n := min(titlesAtOnce, limit+1-read)
		if n <= 0 {
			found.incomplete = true
			return found, nil
		}
		var before []predicate.Task
		if below > 0 {
			before = append(before, task.NumberLT(below))
		}
		rows, err := o.readTitles(ctx, scope, n, before...)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			found.add(&rows[i])
		}
		if len(rows) < n {
			return found, nil
		}
		read += n
		below = rows[len(rows)-1].Number
	}
}

// match reads the tasks of a ranking.
func (o operations) match(ctx context.Context, found *ranking) (*Match, error) {
	if certain := found.certain(); certain != "" {
		t, err := o.FindTask(ctx, certain)
		return certainMatch(t, err)
	}
	list := make([]string, len(found.best))
	for i, b := range found.best {
		list[i] = b.id
	}
	m := &Match{Candidates: []Candidate{}}
	if len(list) == 0 {
		return m, nil
	}
	tasks, err := o.TasksByID(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, b := range found.best {
		if t := tasks[b.id]; t != nil { // else deleted meanwhile
			m.Candidates = append(m.Candidates, Candidate{Task: t, Reason: b.reason})
		}
	}
	return m, nil
}

// certainMatch returns the match of a task, which may be nil.
func certainMatch(t *ent.Task, err error) (*Match, error) {
	if err != nil {
		return nil, err
	}
	return &Match{Certain: t, Candidates: []Candidate{}}, nil
}

// holdsAll reports whether a title holds all words, each as a word of its own.
func holdsAll(title, named []word) bool {
	return len(named) > 0 && len(held(title, named)) == len(named)
}

// held returns the positions of the words that a title holds. A word of the title counts once, except in scripts
// without spaces.
func held(title, named []word) []int {
	var out []int
	used := make([]bool, len(title))
	for n, w := range named {
		at := -1
		for i, t := range title {
			if !used[i] && w.isHeldBy(t) && (at < 0 || t.text == w.text) {
				at = i
			}
		}
		if at >= 0 {
			used[at] = !title[at].unspaced
			out = append(out, n)
		}
	}
	return out
}
