package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"errand/internal/apperr"
	"errand/internal/jsonlimit"
	"errand/internal/truncate"
	"errand/internal/viewer"

	"github.com/google/jsonschema-go/jsonschema"
)

// Registry holds the tools. It has no state of its own: each call names the Tasks to act on.
type Registry struct {
	tools []*Tool
}

// NewRegistry returns the registry of all tools. It panics on an argument schema that does not compile.
func NewRegistry() *Registry {
	r := &Registry{tools: []*Tool{addTask(), listTasks(), completeTask(), reopenTask(), updateTask(), deleteTask()}}
	for _, t := range r.tools {
		var schema jsonschema.Schema
		if err := json.Unmarshal(t.Schema, &schema); err != nil {
			panic(fmt.Sprintf("tool: schema of %s: %v", t.Name, err))
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			panic(fmt.Sprintf("tool: schema of %s: %v", t.Name, err))
		}
		t.argsSchema = resolved
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
	return Result{JSON: string(b), Text: tool.text(value)}, nil
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
	if text := strings.TrimSpace(arguments); text == "" || text == "null" {
		arguments = "{}"
	}
	if err := checkSize(arguments); err != nil {
		return nil, nil, err
	}
	var value any
	if err := json.Unmarshal([]byte(arguments), &value); err != nil {
		return nil, nil, apperr.Invalid("arguments", "The arguments must be a JSON object.")
	}
	if err := tool.argsSchema.Validate(value); err != nil {
		return nil, nil, apperr.Invalid("arguments", "The arguments do not match the tool's schema: %s", schemaError(err))
	}
	result, err := tool.handle(ctx, tasks, json.RawMessage(arguments))
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) { // JSON Schema accepts 1e30 as an integer; Go's int does not hold it
		err = apperr.Invalid(
			"arguments",
			"The arguments do not match the tool's schema: %s is out of range for %s.",
			wrongType.Field,
			wrongType.Type,
		)
	}
	return tool, result, err
}

// Limits of a call's arguments, which are far above those of valid ones. They are checked before the schema, whose
// validation takes memory and time for each value.
const (
	maxArgumentBytes  = 1 << 20
	maxArgumentValues = 2000
	maxArgumentDepth  = 20
)

func checkSize(arguments string) error {
	if len(arguments) > maxArgumentBytes {
		return apperr.Invalid("arguments", "The arguments have %d bytes; the limit is %d.",
			len(arguments), maxArgumentBytes)
	}
	switch shape := jsonlimit.Measure([]byte(arguments)); {
	case shape.Values > maxArgumentValues:
		return apperr.Invalid("arguments", "The arguments have %d values; the limit is %d.",
			shape.Values, maxArgumentValues)
	case shape.Depth > maxArgumentDepth:
		return apperr.Invalid("arguments", "The arguments are nested %d levels deep; the limit is %d.",
			shape.Depth, maxArgumentDepth)
	default:
		return nil
	}
}

func (r *Registry) names() []string {
	names := make([]string, len(r.tools))
	for i, t := range r.tools {
		names[i] = t.Name
	}
	return names
}

// maxSchemaError bounds the text of a validation error, which quotes the arguments, in bytes.
const maxSchemaError = 300

// schemaError returns the innermost message of a validation error: the outer ones only
// repeat the path to it.
func schemaError(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return truncate.Bytes(strings.ToValidUTF8(err.Error(), ""), maxSchemaError)
}

// TargetTask returns the number of the existing task that a call would change or delete.
// ok is false for calls that do neither, and for calls whose arguments have no valid number.
func (r *Registry) TargetTask(name, arguments string) (number int, ok bool) {
	tool := r.Find(name)
	if tool == nil || tool.ReadOnly {
		return 0, false
	}
	var args struct {
		Number float64 `json:"number"` // models also write 3.0
	}
	if json.Unmarshal([]byte(arguments), &args) != nil || args.Number < 1 || args.Number > 1e9 {
		return 0, false
	}
	return int(args.Number), true
}
