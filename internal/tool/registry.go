package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"errand/internal/apperr"
	"errand/internal/viewer"
)

// Registry holds the tools. It has no state of its own: each call names the Tasks to act on.
type Registry struct {
	tools []*Tool
}

// NewRegistry returns the registry of all tools. It panics on an argument schema that does not compile.
func NewRegistry() *Registry {
	r := &Registry{tools: []*Tool{
		addTask(), listTasks(), getTask(), completeTask(), reopenTask(), updateTask(), deleteTask(), restoreTask(),
		recentChanges(), undoChanges(), setTimeZone(),
	}}
	for _, t := range r.tools {
		if err := t.prepare(); err != nil {
			panic(fmt.Sprintf("tool: schema of %s: %v", t.Name, err))
		}
	}
	return r
}

// Tools returns all tools in a fixed order.
func (r *Registry) Tools() []*Tool { return r.tools }

// Find returns the tool with the name, or nil when there is none.
func (r *Registry) Find(name string) *Tool {
	i := slices.IndexFunc(r.tools, func(t *Tool) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return r.tools[i]
}

// Call runs a tool on the viewer's tasks, in a transaction of the caller's when tasks is bound to one.
//
// Faults of the caller (invalid arguments, unknown tasks, conflicts, limits) are returned as
// a failed Result for the model. An error means that the call could not be attempted, for
// example because the database is unavailable, and that the caller should retry.
func (r *Registry) Call(ctx context.Context, tasks Tasks, name, arguments string) (Result, error) {
	tool, value, err := r.run(ctx, tasks, name, arguments)
	if err != nil {
		return resultOf(err)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return Result{}, fmt.Errorf("encoding the result of %s: %w", name, err)
	}
	result := Result{JSON: string(b), Text: tool.text(value)}
	if batch, ok := value.(batchResult); ok {
		if e := batch.failure(); e != nil {
			text := result.Text
			result = failedResult(e, map[string]any{"results": batch.Results})
			result.Text = text
		}
		result.Choices, result.Skipped = batch.choices(), batch.skipped()
	}
	return result, nil
}

func (r *Registry) run(ctx context.Context, tasks Tasks, name, arguments string) (*Tool, any, error) {
	tool := r.Find(name)
	if tool == nil {
		return nil, nil, apperr.New(
			apperr.NotFound,
			"There is no tool with this name. The tools are: %s.",
			strings.Join(r.names(), ", "),
		)
	}
	if _, err := viewer.Require(ctx, tool.Scope()); err != nil {
		return nil, nil, err
	}
	normal, err := normalizeArguments(tool.argsSchema, arguments)
	if err != nil {
		return nil, nil, err
	}
	result, err := tool.handle(ctx, tasks, normal)
	return tool, result, err
}

func (r *Registry) names() []string {
	names := make([]string, len(r.tools))
	for i, t := range r.tools {
		names[i] = t.Name
	}
	return names
}
