package claims

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what can be done to a task.
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

// Record holds the tool results of a turn.
type Record struct {
	// UserMessage is the user's message.
	UserMessage string
	deeds       []deed
	// seen are all tasks shown, by their newest state.
	seen   map[int]task
	titles []string
}

type deed struct {
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
			r.deeds = append(r.deeds, deed{kind: kind, task: *shown.Task})
		}
	}
	if r.seen == nil {
		r.seen = map[int]task{}
	}
	for _, t := range shown.Tasks {
		r.seen[t.Number] = t
		if title := line(t.Title); title != "" && !slices.Contains(r.titles, title) {
			r.titles = append(r.titles, title)
		}
	}
}

func line(s string) string { return strings.Join(strings.Fields(plain(s)), " ") }

// mask puts marks in the place of known titles, which may read like claims. A title of
// one word is left where it stands without quotes.
func (r *Record) mask(text string) string {
	longest := slices.Clone(r.titles)
	slices.SortStableFunc(longest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, title := range longest {
		mark := fmt.Sprintf("⟦%d⟧", slices.Index(r.titles, title))
		text = strings.ReplaceAll(text, `"`+title+`"`, mark)
		if strings.Contains(title, " ") {
			text = strings.ReplaceAll(text, title, mark)
		}
	}
	return text
}

func (r *Record) unmask(sentence string) string {
	for i, title := range r.titles {
		sentence = strings.ReplaceAll(sentence, fmt.Sprintf("⟦%d⟧", i), `"`+title+`"`)
	}
	return sentence
}

// backs reports whether the record shows what the claim says.
func (r *Record) backs(c claim) bool {
	done := r.done(c.kind)
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
		return slices.ContainsFunc(c.titles, func(said string) bool {
			return slices.ContainsFunc(done, func(t task) bool { return r.means(said, t) })
		})
	}
	return len(done) > 0
}

// done are the tasks that the record shows in the state that a deed of the kind leaves.
// Fields can be set in adding; what is completed counts however it became so.
func (r *Record) done(kind Kind) []task {
	found := map[int]task{}
	for _, d := range r.deeds {
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

// means reports whether a mark or a quotation names the task. Models shorten titles.
func (r *Record) means(said string, t task) bool {
	title := strings.ToLower(line(t.Title))
	if mark, ok := strings.CutPrefix(said, "⟦"); ok {
		i, err := strconv.Atoi(strings.TrimSuffix(mark, "⟧"))
		return err == nil && i < len(r.titles) && strings.ToLower(r.titles[i]) == title
	}
	said = strings.ToLower(strings.Trim(said, `".,:!`))
	return strings.Contains(title, said) || strings.Contains(said, title)
}
