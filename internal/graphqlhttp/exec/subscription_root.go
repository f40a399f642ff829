package exec

import (
	"strings"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// subscriptionRule returns the rule SingleFieldSubscriptions (specification, section 5.2.4.1), in place of the
// parser's, which takes one field under two aliases for one field. Fields that a literal in @skip or @include removes
// do not count; checkSubscriptionRoot checks those that a variable removes.
func subscriptionRule() core.Rule {
	return core.Rule{
		Name: rules.SingleFieldSubscriptionsRule.Name,
		RuleFunc: func(observers *core.Events, addError core.AddErrFunc) {
			observers.OnOperation(func(_ *core.Walker, op *ast.OperationDefinition) {
				if op.Operation != ast.Subscription {
					return
				}
				name := "Anonymous Subscription"
				if op.Name != "" {
					name = `Subscription "` + op.Name + `"`
				}
				fields := rootFields(op.SelectionSet, map[string]bool{}, map[string]bool{})
				if len(fields) > 1 {
					addError(core.Message("%s must select only one top level field.", name), core.At(fields[1].Position))
				}
				for _, field := range fields {
					if strings.HasPrefix(field.Name, "__") {
						addError(core.Message("%s must not select an introspection top level field.", name),
							core.At(field.Position))
					}
				}
			})
		},
	}
}

// rootFields returns the first field of each response name in the set, fragments expanded.
func rootFields(set ast.SelectionSet, names, fragments map[string]bool) []*ast.Field {
	var fields []*ast.Field
	for _, selection := range set {
		if never(directivesOf(selection)) {
			continue
		}
		switch s := selection.(type) {
		case *ast.Field:
			if !names[s.Alias] {
				names[s.Alias] = true
				fields = append(fields, s)
			}
		case *ast.InlineFragment:
			fields = append(fields, rootFields(s.SelectionSet, names, fragments)...)
		case *ast.FragmentSpread:
			if s.Definition != nil && !fragments[s.Name] {
				fragments[s.Name] = true
				fields = append(fields, rootFields(s.Definition.SelectionSet, names, fragments)...)
			}
		}
	}
	return fields
}

// never reports whether a literal in @skip or @include removes the selection.
func never(directives ast.DirectiveList) bool {
	for _, directive := range directives {
		argument := directive.Arguments.ForName("if")
		if argument == nil || argument.Value.Kind != ast.BooleanValue {
			continue
		}
		if directive.Name == "skip" && argument.Value.Raw == "true" ||
			directive.Name == "include" && argument.Value.Raw == "false" {
			return true
		}
	}
	return false
}

// checkSubscriptionRoot rejects a subscription whose only root field @skip or @include removes.
func (op *Operation) checkSubscriptionRoot() *RequestError {
	if op.Kind != ast.Subscription {
		return nil
	}
	root := op.engine.documents.rootType(op.Kind).Name
	if len(graphql.CollectFields(op.context, op.context.Operation.SelectionSet, []string{root})) == 1 {
		return nil
	}
	return NewRequestError(0, apperr.Invalid("query", "A subscription must select one top level field."))
}
