package tool

import (
	"encoding/json"

	"errand/internal/truncate"
)

// Replay says how much of a recorded call a model needs again.
type Replay struct {
	// Whole is set for everything, as it is.
	Whole bool
	// Finished is set for calls of earlier turns. Follow-ups need the numbers, the titles and the outcome of those.
	Finished bool
	// MaxBytes bounds a result; 0 means no bound.
	MaxBytes int
}

// wholeBytes is the size up to which a result of the present turn is repeated as it is.
const wholeBytes = 1500

// replayedResult is what results have in common that models need again. Objects stay objects, so that each reader of
// results can read it.
type replayedResult struct {
	Error   *replayedError `json:"error,omitempty"`
	Task    *replayedTask  `json:"task,omitempty"`
	Changed *bool          `json:"changed,omitempty"`
	Total   *int           `json:"total,omitempty"`

	Tasks   []replayedTask   `json:"tasks,omitempty"`
	Near    []replayedTask   `json:"near,omitempty"`
	Choices []replayedTask   `json:"choices,omitempty"`
	Results []replayedItem   `json:"results,omitempty"`
	Changes []replayedChange `json:"changes,omitempty"`

	Batch   string           `json:"batch,omitempty"`
	Count   *int             `json:"count,omitempty"`
	Undone  []replayedChange `json:"undone,omitempty"`
	Skipped []replayedChange `json:"skipped,omitempty"`
	// Omitted is the number of items that the lists lack at their end.
	Omitted int `json:"omitted,omitempty"`
}

type replayedError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type replayedTask struct {
	Number      int      `json:"number"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Completed   bool     `json:"completed,omitempty"`
	Priority    string   `json:"priority,omitempty"`
	DueOn       string   `json:"due_on,omitempty"`
	DueAt       string   `json:"due_at,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	CompletedAt string   `json:"completed_at,omitempty"`
}

type replayedItem struct {
	Reference string         `json:"reference,omitempty"`
	Task      *replayedTask  `json:"task,omitempty"`
	Changed   *bool          `json:"changed,omitempty"`
	Choices   []replayedTask `json:"choices,omitempty"`
	Error     *replayedError `json:"error,omitempty"`
}

type replayedChange struct {
	ID     string          `json:"id,omitempty"`
	At     string          `json:"at,omitempty"`
	Kind   string          `json:"kind"`
	Number int             `json:"number"`
	Title  string          `json:"title"`
	By     string          `json:"by,omitempty"`
	Reason string          `json:"reason,omitempty"`
	Fields json.RawMessage `json:"fields,omitempty"`
}

// Result returns the result of a call as a model gets it again. Numbers, titles and their order stay.
func (r Replay) Result(result string) string {
	if r.Whole {
		return result
	}
	fits := r.MaxBytes == 0 || len(result) <= r.MaxBytes
	if !r.Finished && len(result) <= wholeBytes && fits {
		return result
	}
	var v replayedResult
	switch err := json.Unmarshal([]byte(result), &v); {
	case err == nil && v.encode() != "{}":
	case err == nil && fits:
		return result // of another form, such as that of set_time_zone
	default:
		return `{"omitted":1}`
	}
	for level := range detailLevels {
		if r.Finished && level == 0 {
			continue
		}
		v.reduce(level)
		if s := v.encode(); r.MaxBytes == 0 || len(s) <= r.MaxBytes {
			return s
		}
	}
	return v.cut(r.MaxBytes)
}

// detailLevels is the number of levels of reduce.
const detailLevels = 3

// reduce removes what matters least: at level 0 what is usual, at level 1 descriptions, labels, times and the fields of
// changes, at level 2 all but numbers, titles and states.
func (v *replayedResult) reduce(level int) {
	for _, list := range [][]replayedTask{v.Tasks, v.Near, v.Choices} {
		for i := range list {
			list[i].reduce(level)
		}
	}
	if v.Task != nil {
		v.Task.reduce(level)
	}
	for _, list := range [][]replayedChange{v.Changes, v.Undone, v.Skipped} {
		for i := range list {
			if c := &list[i]; level >= 1 {
				c.At, c.By, c.Fields = "", "", nil
			}
		}
	}
	for i := range v.Results {
		item := &v.Results[i]
		if item.Task != nil {
			item.Task.reduce(level)
			item.Reference = "" // the task is the answer
		}
		for j := range item.Choices {
			item.Choices[j].reduce(level)
		}
	}
}

func (t *replayedTask) reduce(level int) {
	const longText = 300
	t.Description = truncate.Ellipsis(t.Description, longText)
	if t.Priority == "none" {
		t.Priority = ""
	}
	if level >= 1 {
		t.Description, t.Labels, t.CompletedAt = "", nil, ""
	}
	if level >= 2 {
		t.Priority, t.DueOn, t.DueAt = "", "", ""
	}
}

func (v *replayedResult) encode() string {
	b, _ := json.Marshal(v) // strings, numbers and booleans always marshal
	return string(b)
}

// cut shortens the lists until the result fits.
func (v *replayedResult) cut(most int) string {
	for {
		s := v.encode()
		if len(s) <= most || !v.shorten(max(1, v.items()*(len(s)-most)/len(s))) {
			return s
		}
	}
}

func (v *replayedResult) items() int {
	return len(v.Tasks) + len(v.Near) + len(v.Choices) + len(v.Results) + len(v.Changes) + len(v.Undone) + len(v.Skipped)
}

// shorten removes n items from the end of the lists; false means that there are none.
func (v *replayedResult) shorten(n int) bool {
	before := v.items()
	v.Near = nil
	v.Tasks = v.Tasks[:max(0, len(v.Tasks)-n)]
	v.Choices = v.Choices[:max(0, len(v.Choices)-n)]
	v.Results = v.Results[:max(0, len(v.Results)-n)]
	v.Changes = v.Changes[:max(0, len(v.Changes)-n)]
	v.Undone = v.Undone[:max(0, len(v.Undone)-n)]
	v.Skipped = v.Skipped[:max(0, len(v.Skipped)-n)]
	v.Omitted += before - v.items()
	return v.items() < before
}

// wholeArguments is the size up to which arguments of a finished turn are repeated as they are.
const wholeArguments = 800

// Arguments returns the arguments of a call as a model gets them again: long lists and texts are shortened.
func (r Replay) Arguments(arguments string) string {
	most := wholeArguments
	if r.MaxBytes > 0 {
		most = min(most, r.MaxBytes)
	}
	if !r.Finished || len(arguments) <= most {
		return arguments
	}
	var v any
	if json.Unmarshal([]byte(arguments), &v) != nil {
		return "{}"
	}
	b, err := json.Marshal(shortenValue(v, max(1, most/160), max(20, most/4)))
	if err != nil {
		return "{}"
	}
	return string(b)
}

// shortenValue shortens lists to a number of items and texts to a number of characters.
func shortenValue(v any, items, characters int) any {
	switch v := v.(type) {
	case string:
		return truncate.Ellipsis(v, characters)
	case []any:
		v = v[:min(len(v), items)]
		for i := range v {
			v[i] = shortenValue(v[i], items, characters)
		}
		return v
	case map[string]any:
		for name := range v {
			v[name] = shortenValue(v[name], items, characters)
		}
	}
	return v
}
