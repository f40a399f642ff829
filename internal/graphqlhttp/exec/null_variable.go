package exec

import (
	"errand/internal/apperr"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// checkNullVariables rejects a request in which a variable is null where the document needs a value. Validation allows
// a nullable variable in such a place if the variable or the place has a default value, which null does not select
// (specification, sections 5.8.5 and 6.4.1). The executor would panic for @skip and @include. Selections that @skip
// and @include remove are not checked.
func checkNullVariables(op *ast.OperationDefinition, variables map[string]any) *RequestError {
	null := false
	for _, value := range variables {
		null = null || value == nil
	}
	if !null {
		return nil
	}
	c := nullCheck{variables: variables, fragments: map[string]bool{}}
	c.directives(op.Directives)
	c.selections(op.SelectionSet)
	if len(c.errors) > 0 {
		return &RequestError{Errors: c.errors}
	}
	return nil
}

// nullCheck collects the errors of one request, at most ten.
type nullCheck struct {
	variables map[string]any
	fragments map[string]bool // visited
	errors    gqlerror.List
}

func (c *nullCheck) selections(set ast.SelectionSet) {
	for _, selection := range set {
		if !c.directives(directivesOf(selection)) {
			continue
		}
		switch s := selection.(type) {
		case *ast.Field:
			for _, argument := range s.Arguments {
				c.value(argument.Value)
			}
			c.selections(s.SelectionSet)
		case *ast.InlineFragment:
			c.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			if !c.fragments[s.Name] && s.Definition != nil {
				c.fragments[s.Name] = true
				c.selections(s.Definition.SelectionSet)
			}
		}
	}
}

// directives checks the arguments of directives, and reports whether @skip and @include keep the selection.
func (c *nullCheck) directives(list ast.DirectiveList) (included bool) {
	included = true
	for _, directive := range list {
		for _, argument := range directive.Arguments {
			c.value(argument.Value)
		}
		argument := directive.Arguments.ForName("if")
		if argument == nil || directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		on, err := argument.Value.Value(c.variables)
		if value, known := on.(bool); err == nil && known && value == (directive.Name == "skip") {
			included = false
		}
	}
	return included
}

func (c *nullCheck) value(v *ast.Value) {
	for _, child := range v.Children {
		c.value(child.Value)
	}
	if v.Kind != ast.Variable || v.ExpectedType == nil || !v.ExpectedType.NonNull {
		return
	}
	if value, present := c.variables[v.Raw]; !present || value != nil || len(c.errors) >= 10 {
		return
	}
	e := ToGraphQLError(apperr.Invalid(v.Raw, "Variable $%s must not be null: it is used where %s is expected.",
		truncateMessage(v.Raw), v.ExpectedType.String()))
	if v.Position != nil {
		e.Locations = []gqlerror.Location{{Line: v.Position.Line, Column: v.Position.Column}}
	}
	c.errors = append(c.errors, e)
}
