package limits

import "github.com/vektah/gqlparser/v2/ast"

// writtenCounts are the counts of a document, fragments not expanded.
type writtenCounts struct {
	spreads    int
	inputDepth int
	inputList  int
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
		depth, longest := literalShape(v)
		w.inputDepth, w.inputList = max(w.inputDepth, depth), max(w.inputList, longest)
	}
}

// literalShape returns the nesting of lists and objects, and the length of the longest list. The parser has limited the
// recursion.
func literalShape(v *ast.Value) (depth, longest int) {
	if v.Kind == ast.ListValue {
		longest = len(v.Children)
	}
	for _, child := range v.Children {
		d, l := literalShape(child.Value)
		depth, longest = max(depth, d), max(longest, l)
	}
	if v.Kind == ast.ListValue || v.Kind == ast.ObjectValue {
		depth++
	}
	return depth, longest
}

// CheckInput checks decoded JSON variables against InputDepth and InputList. The error is an *ExceededError.
func (l Limits) CheckInput(variables map[string]any) error {
	depth, longest := 0, 0
	for _, v := range variables {
		d, n := jsonShape(v)
		depth, longest = max(depth, d), max(longest, n)
	}
	if v := l.checkShape(depth, longest); v != nil {
		return v
	}
	return nil
}

func (l Limits) checkShape(depth, longest int) *ExceededError {
	return first(
		exceeded("inputDepth", l.InputDepth, depth, "levels of lists and objects in an argument or a variable"),
		exceeded("inputList", l.InputList, longest, "elements in a list of an argument or a variable"),
	)
}

// jsonShape is literalShape for decoded JSON, whose decoder has limited the recursion.
func jsonShape(v any) (depth, longest int) {
	switch v := v.(type) {
	case []any:
		longest = len(v)
		for _, element := range v {
			d, n := jsonShape(element)
			depth, longest = max(depth, d), max(longest, n)
		}
	case map[string]any:
		for _, element := range v {
			d, n := jsonShape(element)
			depth, longest = max(depth, d), max(longest, n)
		}
	default:
		return 0, 0
	}
	return depth + 1, longest
}
