package limits

import "github.com/vektah/gqlparser/v2/ast"

// inputBytes is the length of text that costs one point in an argument.
const inputBytes = 256

// input returns the cost of f's arguments: the size of their values, and the costs of the fields of input objects.
func (e *estimate) input(f *ast.Field) int {
	if len(f.Arguments) == 0 {
		return 0
	}
	if total, ok := e.inputs[f]; ok {
		return total
	}
	total := 0
	for _, argument := range f.Arguments {
		total = sum(total, e.literalSize(argument.Value, false))
		if definition := f.Definition.Arguments.ForName(argument.Name); definition != nil {
			total = sum(total, e.inputFields(definition.Type.Name(), argument.Value))
		}
	}
	e.inputs[f] = total
	return total
}

// inputFields returns the costs of the fields of an input object, or of those of a list, that have a value.
func (e *estimate) inputFields(typeName string, v *ast.Value) int {
	total := 0
	switch v.Kind {
	case ast.ObjectValue:
		for _, child := range v.Children {
			if !e.isNull(child.Value) {
				total = sum(total, e.limits.FieldCosts[typeName+"."+child.Name])
			}
		}
	case ast.ListValue:
		for _, child := range v.Children {
			total = sum(total, e.inputFields(typeName, child.Value))
		}
	case ast.Variable:
		total = e.variableFields(typeName, e.variables[v.Raw])
	}
	return total
}

// variableFields is inputFields for the value of a variable. Its recursion is limited by CheckInput.
func (e *estimate) variableFields(typeName string, given any) int {
	total := 0
	switch given := given.(type) {
	case []any:
		for _, element := range given {
			total = sum(total, e.variableFields(typeName, element))
		}
	case map[string]any:
		for name, value := range given {
			if value != nil {
				total = sum(total, e.limits.FieldCosts[typeName+"."+name])
			}
		}
	}
	return total
}

func (e *estimate) isNull(v *ast.Value) bool {
	return v.Kind == ast.NullValue || v.Kind == ast.Variable && e.variables[v.Raw] == nil && defaultOf(v) == nil
}

// defaultOf returns the default value of a variable, or nil.
func defaultOf(v *ast.Value) *ast.Value {
	if v.VariableDefinition == nil {
		return nil
	}
	return v.VariableDefinition.DefaultValue
}

// listLength returns the number of elements of a list in an argument.
func (e *estimate) listLength(v *ast.Value) (int, bool) {
	switch v.Kind {
	case ast.ListValue:
		return len(v.Children), true
	case ast.Variable:
		list, ok := e.variables[v.Raw].([]any)
		return len(list), ok
	default:
		return 0, false
	}
}

// literalSize returns the size of an argument: the number of list elements and of fields of objects in lists, and the
// length of texts in units of inputBytes. It counts the syntax tree and the variables, and converts neither.
func (e *estimate) literalSize(v *ast.Value, inList bool) int {
	switch v.Kind {
	case ast.Variable:
		return e.variableSize(v)
	case ast.StringValue, ast.BlockValue:
		return len(v.Raw) / inputBytes
	case ast.ListValue, ast.ObjectValue:
		inList = inList || v.Kind == ast.ListValue
		total := 0
		if inList {
			total = len(v.Children)
		}
		for _, child := range v.Children {
			total = sum(total, e.literalSize(child.Value, inList))
		}
		return total
	default:
		return 0
	}
}

func (e *estimate) variableSize(v *ast.Value) int {
	if size, ok := e.sizes[v.Raw]; ok {
		return size
	}
	size := 0
	if value, ok := e.variables[v.Raw]; ok {
		size = jsonSize(value, false)
	} else if literal := defaultOf(v); literal != nil {
		size = e.literalSize(literal, false)
	}
	e.sizes[v.Raw] = size
	return size
}

// jsonSize is literalSize for the value of a variable. Its recursion is limited by CheckInput.
func jsonSize(v any, inList bool) int {
	total := 0
	switch v := v.(type) {
	case string:
		return len(v) / inputBytes
	case []any:
		total = len(v)
		for _, element := range v {
			total = sum(total, jsonSize(element, true))
		}
	case map[string]any:
		if inList {
			total = len(v)
		}
		for _, value := range v {
			total = sum(total, jsonSize(value, inList))
		}
	}
	return total
}
