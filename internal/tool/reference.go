package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/task"
)

// targetArgs are the arguments that name existing tasks.
type targetArgs struct {
	Number int      `json:"number"`
	Task   string   `json:"task"`
	Tasks  []string `json:"tasks"`
}

// reference is the name of one task in arguments: a number or words.
type reference struct {
	text   string
	number int
}

// newReference parses a reference. All digits are a number, also after "#".
func newReference(text string) reference {
	r := reference{text: strings.TrimSpace(text)}
	if n, err := strconv.Atoi(strings.TrimPrefix(r.text, "#")); err == nil && n > 0 && n <= maxNumber {
		r.number = n
	}
	return r
}

// references returns the tasks that arguments name; many means that they name a list.
func (a targetArgs) references() (refs []reference, many bool, err error) {
	var one []reference
	if a.Number > 0 {
		one = append(one, reference{text: strconv.Itoa(a.Number), number: a.Number})
	}
	if a.Task != "" {
		if r := newReference(a.Task); len(one) == 0 || r.number != a.Number {
			one = append(one, r)
		}
	}
	for _, text := range a.Tasks {
		r := newReference(text)
		if len(one) == 1 && len(a.Tasks) == 1 && one[0].number > 0 && one[0].number == r.number {
			continue
		}
		if !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	switch {
	case len(one) == 0 && len(refs) == 0:
		return nil, false, apperr.Invalid("number", "No task is named; send one of number, task and tasks, such as %s.",
			example("number"))
	case len(one) > 1 || len(one) == 1 && len(refs) > 0:
		return nil, false, apperr.Invalid("task", "Send one of the arguments number, task and tasks, such as %s.",
			example("tasks"))
	case len(one) == 1:
		return one, false, nil
	}
	return refs, true, nil
}

// uncertainError is the error of a reference that names no task with certainty.
type uncertainError struct {
	cause  *apperr.Error
	choice enum.TaskChoice
}

// Error returns the message for clients.
func (e *uncertainError) Error() string { return e.cause.Message }

// Unwrap returns the error for clients.
func (e *uncertainError) Unwrap() error { return e.cause }

// target selects the tasks that a tool changes.
type target struct {
	// byNumber finds a task by its number.
	byNumber func(tasks Tasks, ctx context.Context, number int) (*ent.Task, error)
	// scope limits what words may name.
	scope task.Scope
	// wider has the tasks in which the change has taken place already.
	wider *task.Scope
}

var (
	pending, completed = enum.TaskPending, enum.TaskCompleted

	anyTask     = target{byNumber: Tasks.FindTaskToChange}
	openTask    = target{byNumber: Tasks.FindTaskToChange, scope: task.Scope{Status: &pending}, wider: &task.Scope{}}
	doneTask    = target{byNumber: Tasks.FindTaskToChange, scope: task.Scope{Status: &completed}, wider: &task.Scope{}}
	trashedTask = target{byNumber: findToRestore, scope: task.Scope{Trashed: new(true)}, wider: &task.Scope{}}
)

// findToRestore finds a task in the trash, else one that is not there.
func findToRestore(tasks Tasks, ctx context.Context, number int) (*ent.Task, error) {
	if t, err := tasks.FindTaskToRestore(ctx, number); t != nil || err != nil {
		return t, err
	}
	return tasks.FindTaskToChange(ctx, number)
}

// find returns the task that a reference names with certainty, else an uncertainError or NOT_FOUND.
func (g target) find(ctx context.Context, tasks Tasks, r reference) (*ent.Task, error) {
	if r.number > 0 {
		t, err := g.byNumber(tasks, ctx, r.number)
		if err == nil && t == nil {
			return nil, noTask("number", "There is no task %d.", r.number)
		}
		return t, err
	}
	match, err := tasks.FindTaskByReference(ctx, r.text, g.scope)
	if err != nil {
		return nil, err
	}
	if match.Certain == nil && len(match.Candidates) == 0 && g.wider != nil {
		if match, err = tasks.FindTaskByReference(ctx, r.text, *g.wider); err != nil {
			return nil, err
		}
	}
	if match.Certain != nil {
		return match.Certain, nil
	}
	return nil, uncertain(r, match)
}

func noTask(field, format string, args ...any) *apperr.Error {
	e := apperr.New(apperr.NotFound, format, args...)
	e.Field = field
	return e
}

// uncertain returns the error for a match without a certain task.
func uncertain(r reference, match *task.Match) error {
	quoted := strconv.Quote(shorten(r.text))
	if len(match.Candidates) == 0 {
		return noTask("task", "No task matches %s; nothing was done for it.", quoted)
	}
	choice := enum.TaskChoice{Reference: r.text}
	for _, c := range match.Candidates {
		choice.Candidates = append(choice.Candidates, enum.TaskChoiceCandidate{
			TaskID: c.Task.ID,
			Number: c.Task.Number,
			Title:  c.Task.Title,
			Reason: c.Reason,
		})
	}
	return &uncertainError{
		choice: choice,
		cause: noTask("task", "It is not certain which task %s means; nothing was done for it. Let the user choose one of "+
			"the choices, then call again with its number.", quoted),
	}
}

// change changes one task and returns it. before is the task as it was found.
type change func(ctx context.Context, tasks Tasks, before *ent.Task) (after *ent.Task, err error)

// changeTasks returns the handler of a tool that changes the tasks that the arguments name, one by one. prepare decodes
// the other arguments. describe returns the result of a call for one task.
func changeTasks(
	g target,
	prepare func(ctx context.Context, tasks Tasks, args json.RawMessage) (change, error),
	describe func(v taskView, changed bool) any,
) handler {
	return func(ctx context.Context, tasks Tasks, raw json.RawMessage) (any, error) {
		var args targetArgs
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, fmt.Errorf("decoding arguments: %w", err)
		}
		refs, many, err := args.references()
		if err != nil {
			return nil, err
		}
		apply, err := prepare(ctx, tasks, raw)
		if err != nil {
			return nil, err
		}
		if !many {
			view, changed, err := g.changeOne(ctx, tasks, refs[0], apply)
			if err != nil {
				return nil, err
			}
			return describe(view, changed), nil
		}
		var out batchResult
		for _, r := range refs {
			view, changed, err := g.changeOne(ctx, tasks, r, apply)
			if err := out.add(r.text, view, changed, err); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

func (g target) changeOne(ctx context.Context, tasks Tasks, r reference, apply change) (taskView, bool, error) {
	before, err := g.find(ctx, tasks, r)
	if err != nil {
		return taskView{}, false, err
	}
	after, err := apply(ctx, tasks, before)
	if err != nil {
		return taskView{}, false, err
	}
	views, err := taskViews(ctx, tasks, after)
	if err != nil {
		return taskView{}, false, err
	}
	return views[0], after.Version != before.Version, nil
}

// withoutArgs returns the prepare function of a tool without further arguments.
func withoutArgs(
	fn func(tasks Tasks, ctx context.Context, id string) (*ent.Task, error),
) func(context.Context, Tasks, json.RawMessage) (change, error) {
	return func(context.Context, Tasks, json.RawMessage) (change, error) {
		return func(ctx context.Context, tasks Tasks, before *ent.Task) (*ent.Task, error) {
			return fn(tasks, ctx, before.ID)
		}, nil
	}
}
