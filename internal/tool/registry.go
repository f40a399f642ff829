// Package tool is the list of tools that models and assistants may use: one
// registry over the tasks domain for the agent and the Model Context Protocol
// alike. No tool has a parameter that names a person.
package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"errand/internal/apperr"
	"errand/internal/task"

	"github.com/google/jsonschema-go/jsonschema"
)

// Tool is one thing that can be done.
type Tool struct {
	// Name is how it is called.
	Name string
	// Title names it to people.
	Title string
	// Description tells a model when and how to use it.
	Description string
	// Schema is the JSON Schema of its arguments; nothing beyond it is accepted.
	Schema json.RawMessage
	// OutputSchema is the JSON Schema of the result of a call that did not fail.
	OutputSchema json.RawMessage
	// ReadOnly tools change nothing; Destructive ones take something away;
	// repeating an Idempotent one changes nothing more.
	ReadOnly, Destructive, Idempotent bool

	check  *jsonschema.Resolved
	handle handler
	// done says in words what a call did, same that it found nothing to do.
	done, same string
}

// handler does the work; args have passed the schema.
type handler func(ctx context.Context, args json.RawMessage) (any, error)

// Result is what a call came to.
type Result struct {
	// JSON is the result as the model sees it: an object, with a key "error" when it failed.
	JSON string
	// Text says the same in words, for whoever reads no JSON.
	Text string
	// Failed says that nothing was done.
	Failed bool
	// Code is why, "" when it did not fail.
	Code apperr.Code
}

// Registry is the tools over one tasks service.
type Registry struct {
	tools []*Tool
	tasks *task.Service
}

// NewRegistry makes the registry. It panics on a schema that does not compile.
func NewRegistry(service *task.Service) *Registry {
	r := &Registry{tasks: service}
	r.tools = []*Tool{r.addTask(), r.listTasks(), r.completeTask(), r.reopenTask(), r.updateTask(), r.deleteTask()}
	for _, t := range r.tools {
		var schema jsonschema.Schema
		if err := json.Unmarshal(t.Schema, &schema); err != nil {
			panic(fmt.Sprintf("tools: schema of %s: %v", t.Name, err))
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			panic(fmt.Sprintf("tools: schema of %s: %v", t.Name, err))
		}
		t.check = resolved
	}
	return r
}

// Tools is all tools, in a fixed order.
func (r *Registry) Tools() []*Tool { return r.tools }

// Call uses a tool as the viewer. What the caller got wrong, or what cannot be done,
// comes back as a failed Result to be told to the model; an error means that the call could
// not be tried, for example because the database is away.
func (r *Registry) Call(ctx context.Context, name, arguments string) (Result, error) {
	tool, value, err := r.call(ctx, name, arguments)
	if err != nil {
		return failure(err)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return Result{}, fmt.Errorf("writing the result of %s: %w", name, err)
	}
	return Result{JSON: string(b), Text: tool.text(value)}, nil
}

// Find is the tool of that name, nil when there is none.
func (r *Registry) Find(name string) *Tool {
	at := slices.IndexFunc(r.tools, func(t *Tool) bool { return t.Name == name })
	if at < 0 {
		return nil
	}
	return r.tools[at]
}

func (r *Registry) call(ctx context.Context, name, arguments string) (*Tool, any, error) {
	tool := r.Find(name)
	if tool == nil {
		return nil, nil, apperr.New(
			apperr.NotFound,
			"There is no tool of this name. The tools are: %s.",
			strings.Join(r.names(), ", "),
		)
	}
	if given := strings.TrimSpace(arguments); given == "" || given == "null" {
		arguments = "{}"
	}
	var value any
	if err := json.Unmarshal([]byte(arguments), &value); err != nil {
		return nil, nil, apperr.Invalid("arguments", "The arguments are not a JSON object.")
	}
	if err := tool.check.Validate(value); err != nil {
		return nil, nil, apperr.Invalid("arguments", "The arguments do not fit the tool's schema: %s", schemaFault(err))
	}
	result, err := tool.handle(ctx, json.RawMessage(arguments))
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) { // what is whole to JSON Schema, such as 1e30, may be no number of ours
		err = apperr.Invalid(
			"arguments",
			"The arguments do not fit the tool's schema: %s is not a usable %s.",
			wrong.Field,
			wrong.Type,
		)
	}
	return tool, result, err
}

func (r *Registry) names() []string {
	names := make([]string, len(r.tools))
	for i, t := range r.tools {
		names[i] = t.Name
	}
	return names
}

// schemaFault is the innermost and most telling part of a validation error.
func schemaFault(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	text := err.Error()
	if len(text) > 300 {
		text = text[:300]
	}
	return strings.ToValidUTF8(text, "")
}

// failure tells the model's faults from the server's.
func failure(err error) (Result, error) {
	e := apperr.From(err)
	switch e.Code {
	case apperr.BadUserInput, apperr.NotFound, apperr.Conflict, apperr.RateLimited, apperr.Forbidden:
		return FailedResult(e), nil
	default:
		return Result{}, err
	}
}

// FailedResult is a failed result that says why.
func FailedResult(e *apperr.Error) Result {
	b, _ := json.Marshal(
		map[string]any{"error": fault{Code: string(e.Code), Message: e.Message, Field: snake(e.Field)}},
	) // strings always marshal
	return Result{JSON: string(b), Text: e.Message, Failed: true, Code: e.Code}
}

type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// snake turns an API field name into a tool argument's.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// TargetTask is the number of the existing task that a call would change or delete; changes is
// false for calls that do neither, or that the schema refuses.
func (r *Registry) TargetTask(name, arguments string) (number int, changes bool) {
	tool := r.Find(name)
	if tool == nil || tool.ReadOnly {
		return 0, false
	}
	var args struct {
		Number float64 `json:"number"` // models write 3.0 as well
	}
	if json.Unmarshal([]byte(arguments), &args) != nil || args.Number < 1 || args.Number > 1e9 {
		return 0, false
	}
	return int(args.Number), true
}
