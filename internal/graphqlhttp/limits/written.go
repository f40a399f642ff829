package limits

import "github.com/vektah/gqlparser/v2/ast"

// writtenCounts are the counts of a document, fragments not expanded.
type writtenCounts struct {
	spreads    int
	inputDepth int
}

func countWritten(doc *ast.QueryDocument) writtenCounts {
	var w writtenCounts
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

func (w *writtenCounts) set(set ast.SelectionSet) {
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

func (w *writtenCounts) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.arguments(d.Arguments)
	}
}

func (w *writtenCounts) arguments(list ast.ArgumentList) {
	for _, a := range list {
		w.input(a.Value)
	}
}

func (w *writtenCounts) input(v *ast.Value) {
	if v != nil {
		w.inputDepth = max(w.inputDepth, literalDepth(v))
	}
}

// literalDepth returns the nesting of lists and objects. The parser has limited the recursion.
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

// CheckInput checks decoded JSON variables against InputDepth. The error is an *ExceededError.
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

// jsonDepth returns the nesting of lists and objects. The JSON decoder has limited the recursion.
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
