package tool

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"errand/ent/enum"
	"errand/internal/apperr"
)

// batchResult is the result of a call for several tasks. Each item succeeds or fails on its own.
type batchResult struct {
	Results []itemResult `json:"results"`
}

// itemResult is the result for one task.
type itemResult struct {
	Reference string       `json:"reference"`
	Task      *taskView    `json:"task,omitempty"`
	Changed   *bool        `json:"changed,omitempty"`
	Error     *errorView   `json:"error,omitempty"`
	Choices   []choiceView `json:"choices,omitempty"`

	err *apperr.Error
	// candidates are the choices with the ids of their tasks.
	candidates []enum.TaskChoiceCandidate
}

// choiceView is a candidate in results for models.
type choiceView struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
}

func choiceViews(candidates []enum.TaskChoiceCandidate) []choiceView {
	views := make([]choiceView, len(candidates))
	for i, c := range candidates {
		views[i] = choiceView{c.Number, c.Title}
	}
	return views
}

// add appends the result for one task. It returns err, and appends nothing, if err is a fault of the server.
func (b *batchResult) add(reference string, view taskView, changed bool, err error) error {
	item := itemResult{Reference: reference}
	if err == nil {
		item.Task, item.Changed = &view, &changed
		b.Results = append(b.Results, item)
		return nil
	}
	e := apperr.From(err)
	if !e.Code.IsOfCaller() {
		return err
	}
	if unsure, ok := errors.AsType[*uncertainError](err); ok {
		item.candidates = unsure.choice.Candidates
		item.Choices = choiceViews(item.candidates)
	}
	item.err, item.Error = e, newErrorView(e)
	b.Results = append(b.Results, item)
	return nil
}

// failure returns the error of the call when no item succeeded: that of the first item.
func (b batchResult) failure() *apperr.Error {
	for _, item := range b.Results {
		if item.err == nil {
			return nil
		}
	}
	if len(b.Results) == 0 {
		return nil
	}
	first := *b.Results[0].err
	if len(b.Results) > 1 {
		first.Message = fmt.Sprintf("None of the %d items succeeded. The first: %s", len(b.Results), first.Message)
	}
	return &first
}

// choices returns the items that are uncertain.
func (b batchResult) choices() []enum.TaskChoice {
	var out []enum.TaskChoice
	for _, item := range b.Results {
		if len(item.candidates) > 0 {
			out = append(out, enum.TaskChoice{Reference: item.Reference, Candidates: item.candidates})
		}
	}
	return out
}

// skipped returns the items for which nothing was done.
func (b batchResult) skipped() (items []Skipped) {
	for _, item := range b.Results {
		if item.err != nil || !*item.Changed {
			items = append(items, Skipped{item.Reference, item.Task, item.Changed, item.Error, item.Choices})
		}
	}
	return items
}

// text describes each item on a line of its own.
func (b batchResult) text(t *Tool) string {
	done := 0
	var lines []string
	for _, item := range b.Results {
		switch {
		case item.err != nil:
			lines = append(lines, strconv.Quote(shorten(item.Reference))+": "+item.err.Message+choicesText(item.Choices))
		case *item.Changed:
			done++
			lines = append(lines, t.changedText+" "+item.Task.sentence())
		default:
			done++
			lines = append(lines, t.unchangedText+" "+item.Task.sentence())
		}
	}
	head := fmt.Sprintf("%d of %d succeeded.", done, len(b.Results))
	return strings.Join(append([]string{head}, lines...), "\n")
}

func choicesText(choices []choiceView) string {
	var b strings.Builder
	for _, c := range choices {
		fmt.Fprintf(&b, "\n   %d. %s", c.Number, strconv.Quote(c.Title))
	}
	return b.String()
}
