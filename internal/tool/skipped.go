package tool

import (
	"encoding/json"
	"strings"

	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/phrase"
)

// awaitingMessage is the error that models read as the result of a call that waits for approval.
const awaitingMessage = "This was not done: it waits for the user's approval."

// Skipped is an item of a call for several tasks for which nothing was done: its reference is uncertain, names no task,
// or names one that cannot be changed like that, or that is as it should be already. It is stored with calls that wait
// for approval.
type Skipped struct {
	Reference string `json:"reference"`
	// Task is set when there was nothing to do, and Changed is then false.
	Task    *taskView    `json:"task,omitempty"`
	Changed *bool        `json:"changed,omitempty"`
	Error   *errorView   `json:"error,omitempty"`
	Choices []choiceView `json:"choices,omitempty"`
}

// Failed reports whether the user must be told of the item.
func (s Skipped) Failed() bool { return s.Error != nil }

// text describes a failed item to the user.
func (s Skipped) text(l *phrase.Language) string {
	v := phrase.Values{Name: "“" + plainTitle(s.Reference) + "”"}
	switch {
	case len(s.Choices) > 0:
		var names []string
		for _, c := range s.Choices {
			names = append(names, nameTask(c.Number, c.Title))
		}
		v.Tasks = strings.Join(names, ", ")
		return l.Text(phrase.NotCertain, v)
	case s.Error.Code == string(apperr.NotFound):
		return l.Text(phrase.NotFound, v)
	default:
		v.Reason = plainTitle(s.Error.Message)
		return l.Text(phrase.NotPossible, v)
	}
}

// AwaitingResult returns the result of a call that waits for approval, as models read it: an error, beside the items
// for which nothing will be done.
func AwaitingResult(skipped []Skipped) string {
	result := struct {
		Error   errorView `json:"error"`
		Results []Skipped `json:"results,omitempty"`
	}{errorView{Code: string(enum.ToolCallAwaiting), Message: awaitingMessage}, skipped}
	b, _ := json.Marshal(result) // strings and numbers always marshal
	return string(b)
}

// SkippedOf returns the items of the result of a call that waits for approval.
func SkippedOf(result *string) []Skipped {
	var view struct{ Results []Skipped }
	if result == nil || json.Unmarshal([]byte(*result), &view) != nil {
		return nil
	}
	return view.Results
}
