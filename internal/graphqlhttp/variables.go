package graphqlhttp

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// coerceVariables checks the given values against the operation's variables as the
// specification says (section 6.1.2): strictly, so that "5" is no Int and 5 no String.
// Values of custom scalars pass through to their own decoding. What is not declared is
// dropped; defaults are left to the executor.
func coerceVariables(schema *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, *problem) {
	c := coercion{schema: schema}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, definition := range op.VariableDefinitions {
		name := definition.Variable
		value, present := given[name]
		switch {
		case present:
			values[name] = c.value(definition.Type, value, name)
		case definition.Type.NonNull && definition.DefaultValue == nil:
			c.fault(name, "must be given")
		}
	}
	if len(c.faults) > 0 {
		return nil, &problem{errors: c.faults}
	}
	return values, nil
}

// coercion collects the faults of one set of variables, ten at most.
type coercion struct {
	schema *ast.Schema
	faults gqlerror.List
}

func (c *coercion) fault(path, what string) any {
	if len(c.faults) < 10 {
		c.faults = append(c.faults, wire(apperr.Invalid(path, "Variable $%s %s.", shorten(path), what)))
	}
	return nil
}

func (c *coercion) value(t *ast.Type, v any, path string) any {
	switch {
	case v == nil && t.NonNull:
		return c.fault(path, "must not be null")
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

// list coerces each element; a lone value is a list of one.
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
		return c.fault(path, "must be an object ("+definition.Name+")")
	}
	values := make(map[string]any, len(given))
	for _, field := range definition.Fields {
		value, present := given[field.Name]
		switch {
		case present:
			values[field.Name] = c.value(field.Type, value, path+"."+field.Name)
		case field.Type.NonNull && field.DefaultValue == nil:
			c.fault(path+"."+field.Name, "must be given")
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
		c.fault(path+"."+shorten(name), "is not a field of "+definition.Name)
	}
}

// oneOf holds inputs with @oneOf to exactly one value that is not null.
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
		c.fault(path, "must have exactly one field")
	}
}

func (c *coercion) enum(definition *ast.Definition, v any, path string) any {
	name, ok := v.(string)
	if !ok || definition.EnumValues.ForName(name) == nil {
		return c.fault(path, "must be one of the values of "+definition.Name)
	}
	return name
}

func (c *coercion) scalar(name string, v any, path string) any {
	switch name {
	case "Int":
		if n, ok := wholeNumber(v); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
			return n
		}
		return c.fault(path, "must be an Int (a whole number of 32 bits)")
	case "Float":
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				return f
			}
		}
		return c.fault(path, "must be a Float")
	case "ID":
		if n, ok := v.(json.Number); ok && isInteger(n.String()) {
			return n.String()
		}
		if s, ok := v.(string); ok {
			return s
		}
		return c.fault(path, "must be an ID (a string)")
	case "String":
		if s, ok := v.(string); ok {
			return s
		}
		return c.fault(path, "must be a String")
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b
		}
		return c.fault(path, "must be a Boolean")
	default:
		return v
	}
}

// wholeNumber reads 5, 5.0 and 5e0 alike, as JavaScript cannot tell them apart.
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

func isInteger(s string) bool {
	for i, c := range []byte(s) {
		if (c < '0' || c > '9') && (i > 0 || c != '-') {
			return false
		}
	}
	return s != ""
}
