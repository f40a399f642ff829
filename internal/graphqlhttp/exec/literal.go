package exec

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// literalRule returns the rule ValuesOfCorrectType (specification, section 5.6.1), in place of the parser's, which
// accepts objects for scalars and enums and integers of 64 bits for Int, and rejects larger integers for Float and ID.
// The literals of custom scalars are checked by the scalar, except that numbers must be representable.
func literalRule(suggestions bool) core.Rule {
	return core.Rule{
		Name: rules.ValuesOfCorrectTypeRule.Name,
		RuleFunc: func(observers *core.Events, addError core.AddErrFunc) {
			observers.OnValue(func(_ *core.Walker, v *ast.Value) {
				literalCheck{addError: addError, suggestions: suggestions}.value(v)
			})
		},
	}
}

// literalCheck checks one literal against the type of its position. The walker visits the values of lists and objects
// by themselves.
type literalCheck struct {
	addError    core.AddErrFunc
	suggestions bool
}

func (c literalCheck) value(v *ast.Value) {
	definition, expected := v.Definition, v.ExpectedType
	if definition == nil || expected == nil || v.Kind == ast.Variable {
		return // the rules about names and variables apply
	}
	switch {
	case v.Kind == ast.NullValue:
		if expected.NonNull {
			c.unexpected(v)
		}
	case v.Kind == ast.ListValue && expected.Elem != nil:
	case definition.Kind == ast.InputObject:
		c.object(v)
	case definition.Kind == ast.Enum:
		c.enum(v)
	default:
		c.scalar(v)
	}
}

func (c literalCheck) object(v *ast.Value) {
	definition := v.Definition
	if v.Kind != ast.ObjectValue {
		c.unexpected(v)
		return
	}
	for _, field := range definition.Fields {
		if field.Type.NonNull && field.DefaultValue == nil && v.Children.ForName(field.Name) == nil {
			c.addError(core.Message(`Field "%s.%s" of required type "%s" was not provided.`,
				definition.Name, field.Name, field.Type.String()), core.At(v.Position))
		}
	}
	for _, child := range v.Children {
		if definition.Fields.ForName(child.Name) == nil {
			var names []string
			for _, field := range definition.Fields {
				names = append(names, field.Name)
			}
			c.fail(child.Position, child.Name, names, `Field "%s" is not defined by type "%s".`, child.Name, definition.Name)
		}
	}
	if definition.Directives.ForName("oneOf") != nil {
		c.oneOf(v)
	}
}

// oneOf checks that an input with @oneOf has exactly one field, and that it is not null. Another rule checks variables.
func (c literalCheck) oneOf(v *ast.Value) {
	switch {
	case len(v.Children) != 1:
		c.addError(core.Message(`OneOf Input Object "%s" must specify exactly one key.`, v.Definition.Name),
			core.At(v.Position))
	case v.Children[0].Value.Kind == ast.NullValue:
		c.addError(core.Message(`Field "%s.%s" must be non-null.`, v.Definition.Name, v.Children[0].Name),
			core.At(v.Children[0].Value.Position))
	}
}

func (c literalCheck) enum(v *ast.Value) {
	if v.Kind == ast.EnumValue && v.Definition.EnumValues.ForName(v.Raw) != nil {
		return
	}
	var names []string
	for _, value := range v.Definition.EnumValues {
		names = append(names, value.Name)
	}
	typed := ""
	if v.Kind == ast.EnumValue || v.Kind == ast.StringValue {
		typed = v.Raw
	}
	if v.Kind == ast.EnumValue {
		c.fail(v.Position, typed, names, `Value "%s" does not exist in "%s" enum.`, v.Raw, v.Definition.Name)
		return
	}
	c.fail(v.Position, typed, names, `Enum "%s" cannot represent non-enum value: %s.`, v.Definition.Name, v.String())
}

func (c literalCheck) scalar(v *ast.Value) {
	var valid bool
	switch v.Definition.Name {
	case "Int":
		_, err := strconv.ParseInt(v.Raw, 10, 32)
		valid = v.Kind == ast.IntValue && err == nil
	case "Float":
		_, err := strconv.ParseFloat(v.Raw, 64)
		valid = (v.Kind == ast.IntValue || v.Kind == ast.FloatValue) && err == nil
	case "ID":
		valid = v.Kind == ast.IntValue || v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "String":
		valid = v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "Boolean":
		valid = v.Kind == ast.BooleanValue
	default:
		valid = representable(v)
	}
	if !valid {
		c.unexpected(v)
	}
}

// representable reports whether all numbers in the literal of a custom scalar can be converted.
func representable(v *ast.Value) bool {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		_, err := strconv.ParseFloat(v.Raw, 64)
		return err == nil
	default:
		for _, child := range v.Children {
			if !representable(child.Value) {
				return false
			}
		}
		return true
	}
}

// unexpected reports a literal of the wrong kind, or a number out of range.
func (c literalCheck) unexpected(v *ast.Value) {
	message := `Expected value of type "%[1]s", found %[2]s.`
	if v.Kind != ast.NullValue && v.Definition.Kind == ast.Scalar {
		switch v.Definition.Name {
		case "Int":
			message = `Int cannot represent non-integer value: %[2]s`
			if v.Kind == ast.IntValue {
				message = `Int cannot represent non 32-bit signed integer value: %[2]s`
			}
		case "Float":
			message = `Float cannot represent non numeric value: %[2]s`
		case "ID":
			message = `ID cannot represent a non-string and non-integer value: %[2]s`
		case "String":
			message = `String cannot represent a non string value: %[2]s`
		case "Boolean":
			message = `Boolean cannot represent a non boolean value: %[2]s`
		}
	}
	written := v.String()
	if v.Kind == ast.ObjectValue {
		written = "{" + written[1:len(written)-1] + "}"
	}
	c.addError(core.Message(message, v.ExpectedType.String(), written), core.At(v.Position))
}

// fail reports an unknown name, with similar ones.
func (c literalCheck) fail(at *ast.Position, typed string, names []string, format string, args ...any) {
	options := []core.ErrorOption{core.Message(format, args...), core.At(at)}
	if c.suggestions && typed != "" {
		options = append(options, core.SuggestListQuoted("Did you mean", typed, names))
	}
	c.addError(options...)
}

// normaliseLiterals gives the literals of a validated document the forms that the executor converts without an error:
// an integer for a Float or an ID, or one of more than 64 bits for a custom scalar, may exceed its range. It also
// detaches variables from their definitions: a fragment is shared by operations whose definitions may differ. The
// variables of a request include the default values.
func normaliseLiterals(doc *ast.QueryDocument) {
	arguments := func(list ast.ArgumentList) {
		for _, argument := range list {
			normaliseLiteral(argument.Value)
		}
	}
	directives := func(list ast.DirectiveList) {
		for _, directive := range list {
			arguments(directive.Arguments)
		}
	}
	for _, op := range doc.Operations {
		directives(op.Directives)
		for _, variable := range op.VariableDefinitions {
			directives(variable.Directives)
			normaliseLiteral(variable.DefaultValue)
		}
	}
	for _, fragment := range doc.Fragments {
		directives(fragment.Directives)
	}
	walkDocument(doc, func(selection ast.Selection) {
		if field, ok := selection.(*ast.Field); ok {
			arguments(field.Arguments)
		}
		directives(directivesOf(selection))
	})
}

func directivesOf(selection ast.Selection) ast.DirectiveList {
	switch s := selection.(type) {
	case *ast.Field:
		return s.Directives
	case *ast.InlineFragment:
		return s.Directives
	case *ast.FragmentSpread:
		return s.Directives
	default:
		return nil
	}
}

func normaliseLiteral(v *ast.Value) {
	if v == nil {
		return
	}
	v.VariableDefinition = nil
	for _, child := range v.Children {
		normaliseLiteral(child.Value)
	}
	if v.Kind != ast.IntValue {
		return
	}
	_, err := strconv.ParseInt(v.Raw, 10, 64)
	switch {
	case v.Definition != nil && v.Definition.OneOf("ID"):
		v.Kind = ast.StringValue
	case err != nil || v.Definition != nil && v.Definition.OneOf("Float"):
		v.Kind = ast.FloatValue
	}
}
