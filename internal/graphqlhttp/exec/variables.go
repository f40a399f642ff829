package exec

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// coerceVariables returns the variables of the operation from the given values and the default values (specification,
// section 6.1.2), in the form in which the executor takes them. It is strict: "5" is not an Int and 5 is not a String.
// Values of custom scalars are decoded by the scalar. Undeclared variables are dropped. The generated code adds the
// default values of input fields.
func coerceVariables(
	schema *ast.Schema, op *ast.OperationDefinition, given map[string]any,
) (map[string]any, *RequestError) {
	c := coercion{schema: schema}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, definition := range op.VariableDefinitions {
		name := definition.Variable
		value, present := given[name]
		switch {
		case present:
			values[name] = c.value(definition.Type, value, name)
		case definition.DefaultValue != nil:
			values[name] = defaultValue(definition.Type, definition.DefaultValue)
		case definition.Type.NonNull:
			c.fail(name, "must be given")
		}
	}
	if len(c.errors) > 0 {
		return nil, &RequestError{Errors: c.errors}
	}
	return values, nil
}

// defaultValue returns the value of a default, which is validated and normalised.
func defaultValue(t *ast.Type, v *ast.Value) any {
	if v.Kind == ast.NullValue {
		return nil
	}
	if t.Elem == nil {
		value, err := v.Value(nil)
		if err != nil {
			return nil // impossible: normaliseLiterals
		}
		return value
	}
	if v.Kind != ast.ListValue {
		return []any{defaultValue(t.Elem, v)}
	}
	values := make([]any, len(v.Children))
	for i, child := range v.Children {
		values[i] = defaultValue(t.Elem, child.Value)
	}
	return values
}

// coercion collects the errors of one set of variables, at most ten.
type coercion struct {
	schema *ast.Schema
	errors gqlerror.List
}

// fail adds an error and returns nil, the value in place of an invalid one.
func (c *coercion) fail(path, what string) any {
	if len(c.errors) < 10 {
		err := apperr.Invalid(path, "Variable $%s %s.", truncateMessage(path), what)
		c.errors = append(c.errors, ToGraphQLError(err))
	}
	return nil
}

func (c *coercion) value(t *ast.Type, v any, path string) any {
	switch {
	case v == nil && t.NonNull:
		return c.fail(path, "must not be null")
	case v == nil:
		return nil
	case t.Elem != nil:
		return c.list(t, v, path)
	}
	definition := c.schema.Types[t.NamedType]
	switch definition.Kind {
	case ast.InputObject:
		return c.object(definition, v, path)
	case ast.Enum:
		return c.enum(definition, v, path)
	default:
		return c.scalar(t.NamedType, v, path)
	}
}

// list coerces each element; a value that is not a list becomes a list of one.
func (c *coercion) list(t *ast.Type, v any, path string) any {
	given, ok := v.([]any)
	if !ok {
		return []any{c.value(t.Elem, v, path)}
	}
	values := make([]any, len(given))
	for i, element := range given {
		values[i] = c.value(t.Elem, element, path+"."+strconv.Itoa(i))
	}
	return values
}

func (c *coercion) object(definition *ast.Definition, v any, path string) any {
	given, ok := v.(map[string]any)
	if !ok {
		return c.fail(path, "must be an object ("+definition.Name+")")
	}
	values := make(map[string]any, len(given))
	for _, field := range definition.Fields {
		value, present := given[field.Name]
		switch {
		case present:
			values[field.Name] = c.value(field.Type, value, path+"."+field.Name)
		case field.Type.NonNull && field.DefaultValue == nil:
			c.fail(path+"."+field.Name, "must be given")
		}
	}
	c.unknown(definition, given, path)
	c.oneOf(definition, values, path)
	return values
}

func (c *coercion) unknown(definition *ast.Definition, given map[string]any, path string) {
	var names []string
	for name := range given {
		if definition.Fields.ForName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		c.fail(path+"."+truncateMessage(name), "is not a field of "+definition.Name)
	}
}

// oneOf checks that an input with @oneOf has exactly one field, and that it is not null.
func (c *coercion) oneOf(definition *ast.Definition, values map[string]any, path string) {
	if definition.Directives.ForName("oneOf") == nil {
		return
	}
	set := 0
	for _, value := range values {
		if value != nil {
			set++
		}
	}
	if set != 1 || len(values) != 1 {
		c.fail(path, "must have exactly one field")
	}
}

func (c *coercion) enum(definition *ast.Definition, v any, path string) any {
	name, ok := v.(string)
	if !ok || definition.EnumValues.ForName(name) == nil {
		return c.fail(path, "must be one of the values of "+definition.Name)
	}
	return name
}

func (c *coercion) scalar(name string, v any, path string) any {
	switch name {
	case "Int":
		if n, ok := wholeNumber(v); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return n
		}
		return c.fail(path, "must be an Int (a whole number of 32 bits)")
	case "Float":
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				return f
			}
		}
		return c.fail(path, "must be a Float")
	case "ID":
		if n, ok := v.(json.Number); ok {
			if digits, whole := wholeDigits(n); whole {
				return digits
			}
		}
		if s, ok := v.(string); ok {
			return s
		}
		return c.fail(path, "must be an ID (a string)")
	case "String":
		if s, ok := v.(string); ok {
			return s
		}
		return c.fail(path, "must be a String")
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b
		}
		return c.fail(path, "must be a Boolean")
	default:
		return v
	}
}

// wholeNumber accepts 5, 5.0 and 5e0 alike, since JavaScript does not distinguish them.
func wholeNumber(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53
}

// wholeDigits returns a whole number as an ID: digits as they are given, and 5.0 and 1e3 in the same form.
func wholeDigits(n json.Number) (string, bool) {
	if !strings.ContainsAny(n.String(), ".eE") {
		return n.String(), true
	}
	f, err := n.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64), err == nil && f == math.Trunc(f)
}
