package limits

import "github.com/vektah/gqlparser/v2/ast"

// written holds the counts of a document as it is written, without expanding anything.
type written struct {
	spreads    int
	inputDepth int
}

func measure(doc *ast.QueryDocument) written {
	var w written
	for _, op := range doc.Operations {
		for _, v := range op.VariableDefinitions {
			w.input(v.DefaultValue)
			w.directives(v.Directives)
		}
		w.directives(op.Directives)
		w.set(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		w.directives(f.Directives)
		w.set(f.SelectionSet)
	}
	return w
}

func (w *written) set(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			w.arguments(s.Arguments)
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.InlineFragment:
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w.spreads++
			w.directives(s.Directives)
		}
	}
}

func (w *written) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.arguments(d.Arguments)
	}
}

func (w *written) arguments(list ast.ArgumentList) {
	for _, a := range list {
		w.input(a.Value)
	}
}

func (w *written) input(v *ast.Value) {
	if v != nil {
		w.inputDepth = max(w.inputDepth, literalDepth(v))
	}
}

// literalDepth descends as far as the parser did, which is bounded.
func literalDepth(v *ast.Value) int {
	deepest := 0
	for _, child := range v.Children {
		deepest = max(deepest, literalDepth(child.Value))
	}
	if v.Kind == ast.ListValue || v.Kind == ast.ObjectValue {
		deepest++
	}
	return deepest
}

// CheckInput holds decoded JSON variables to InputDepth. The error is a *ExceededError.
func (l Limits) CheckInput(variables map[string]any) error {
	deepest := 0
	for _, v := range variables {
		deepest = max(deepest, jsonDepth(v))
	}
	if v := exceeded("inputDepth", l.InputDepth, deepest, "levels of lists and objects in a variable"); v != nil {
		return v
	}
	return nil
}

// jsonDepth descends as far as the JSON decoder did, which is bounded.
func jsonDepth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			deepest = max(deepest, jsonDepth(element))
		}
	case map[string]any:
		for _, element := range v {
			deepest = max(deepest, jsonDepth(element))
		}
	default:
		return 0
	}
	return deepest + 1
}
