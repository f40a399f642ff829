package claims

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is a kind of change to a task.
type Kind string

// The kinds.
const (
	Add      Kind = "add"
	Complete Kind = "complete"
	Reopen   Kind = "reopen"
	Update   Kind = "update"
	Delete   Kind = "delete"
)

var kindOf = map[string]Kind{
	"add_task": Add, "complete_task": Complete, "reopen_task": Reopen, "update_task": Update, "delete_task": Delete,
}

// Record holds the tool results of a turn. The zero value is an empty record; set UserMessage.
type Record struct {
	// UserMessage is the user's message.
	UserMessage string
	changes     []change
	// seen are all tasks shown, by their newest state.
	seen   map[int]task
	titles []string
}

type change struct {
	kind Kind
	task task
}

type task struct {
	Number    int    `json:"number"`
	Title     string `json:"title"`
	Completed bool   `json:"completed"`
}

// Add adds a successful call with its result as the model received it.
func (r *Record) Add(tool, result string) {
	var shown struct {
		Task  *task  `json:"task"`
		Tasks []task `json:"tasks"`
	}
	if json.Unmarshal([]byte(result), &shown) != nil {
		return
	}
	if shown.Task != nil {
		shown.Tasks = append(shown.Tasks, *shown.Task)
		if kind, ok := kindOf[tool]; ok {
			r.changes = append(r.changes, change{kind: kind, task: *shown.Task})
		}
	}
	if r.seen == nil {
		r.seen = map[int]task{}
	}
	for _, t := range shown.Tasks {
		r.seen[t.Number] = t
		if title := singleLine(t.Title); title != "" && !slices.Contains(r.titles, title) {
			r.titles = append(r.titles, title)
		}
	}
}

func singleLine(s string) string { return strings.Join(strings.Fields(normalizeQuotes(s)), " ") }

// maskTitles replaces known titles, which may contain words that look like claims, by placeholders. A title of one
// word is replaced only in quotes.
func (r *Record) maskTitles(text string) string {
	longest := slices.Clone(r.titles)
	slices.SortStableFunc(longest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, title := range longest {
		placeholder := fmt.Sprintf("⟦%d⟧", slices.Index(r.titles, title))
		text = strings.ReplaceAll(text, `"`+title+`"`, placeholder)
		if strings.Contains(title, " ") {
			text = strings.ReplaceAll(text, title, placeholder)
		}
	}
	return text
}

func (r *Record) unmaskTitles(sentence string) string {
	for i, title := range r.titles {
		sentence = strings.ReplaceAll(sentence, fmt.Sprintf("⟦%d⟧", i), `"`+title+`"`)
	}
	return sentence
}

// supports reports whether the record contains the changes of the claim.
func (r *Record) supports(c claim) bool {
	done := r.changedTasks(c.kind)
	if c.count > len(done) && len(c.numbers) == 0 {
		return false
	}
	for _, n := range c.numbers {
		if !slices.ContainsFunc(done, func(t task) bool { return t.Number == n }) {
			return false
		}
	}
	switch {
	case len(c.numbers) > 0:
		return true
	case len(c.titles) > 0 && c.kind != Update:
		return slices.ContainsFunc(c.titles, func(name string) bool {
			return slices.ContainsFunc(done, func(t task) bool { return r.refersTo(name, t) })
		})
	}
	return len(done) > 0
}

// changedTasks returns the tasks that a change of this kind in the record affected. Add counts as Update too, since
// add_task sets fields. For Complete, tasks that a result shows as completed count.
func (r *Record) changedTasks(kind Kind) []task {
	found := map[int]task{}
	for _, d := range r.changes {
		if kind == "" || d.kind == kind || kind == Update && d.kind == Add {
			found[d.task.Number] = d.task
		}
	}
	if kind == Complete {
		for n, t := range r.seen {
			if t.Completed {
				found[n] = t
			}
		}
	}
	out := make([]task, 0, len(found))
	for _, t := range found {
		out = append(out, t)
	}
	return out
}

// refersTo reports whether a placeholder or a quotation stands for the task. Models shorten titles.
func (r *Record) refersTo(name string, t task) bool {
	title := strings.ToLower(singleLine(t.Title))
	if placeholder, ok := strings.CutPrefix(name, "⟦"); ok {
		i, err := strconv.Atoi(strings.TrimSuffix(placeholder, "⟧"))
		return err == nil && i < len(r.titles) && strings.ToLower(r.titles[i]) == title
	}
	name = strings.ToLower(strings.Trim(name, `".,:!`))
	return strings.Contains(title, name) || strings.Contains(name, title)
}
