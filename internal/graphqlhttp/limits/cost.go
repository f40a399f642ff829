package limits

import (
	"encoding/json"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Estimate estimates how many fields a validated operation resolves with these variables: each field counts once, times
// the sizes of the lists in which it is. The size of a connection is its first or last, that of a list of ids is their
// number, that of other lists is ListSize. Input is counted at each use, also when it is a variable: one for each
// element of a list, and one for each inputBytes of text. Fields that @skip and @include remove cost nothing. The error
// is an *ExceededError, which is returned together with the estimate.
func (l Limits) Estimate(op *ast.OperationDefinition, variables map[string]any) (int, error) {
	e := estimate{limits: l, variables: variables, inputs: map[*ast.Field]int{}, sizes: map[string]int{}}
	cost := e.set(op.SelectionSet, noSize)
	if v := exceeded("cost", l.Cost, cost, "points of estimated cost"); v != nil {
		return cost, v
	}
	return cost, nil
}

// deferCost is the cost of each deferred fragment of each object, which is a payload of its own.
const deferCost = 15

// noSize means that no enclosing connection has a page size.
const noSize = -1

type estimate struct {
	limits    Limits
	variables map[string]any
	// inputs holds the costs of the arguments of fields, since a field in a fragment is counted at each spread.
	inputs map[*ast.Field]int
	// sizes holds the sizes of variables, since a variable is counted at each use.
	sizes map[string]int
}

// set returns the cost of a selection set. page is the page size of the set's field: the length of the lists directly
// in the set (edges, nodes).
func (e *estimate) set(set ast.SelectionSet, page int) int {
	total := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if e.included(s.Directives) {
				total = sum(total, e.field(s, page))
			}
		case *ast.InlineFragment:
			if e.included(s.Directives) {
				total = sum(total, e.deferred(s.Directives)+e.set(s.SelectionSet, page))
			}
		case *ast.FragmentSpread:
			if s.Definition != nil && e.included(s.Directives) {
				total = sum(total, e.deferred(s.Directives)+e.set(s.Definition.SelectionSet, page))
			}
		}
	}
	return total
}

func (e *estimate) field(f *ast.Field, page int) int {
	if f.Definition == nil || f.Name == "__schema" || f.Name == "__type" {
		return 0
	}
	key := coordinate(f)
	weight := 1
	if w, ok := e.limits.FieldCosts[key]; ok {
		weight = w
	}
	weight = sum(weight, e.input(f))
	named := e.pageSize(f)
	if f.Definition.Type.Elem == nil {
		if named == noSize {
			named = e.argumentLength(f)
		}
		return sum(weight, e.set(f.SelectionSet, named))
	}
	return sum(weight, times(e.listSize(f, key, named, page), e.set(f.SelectionSet, noSize)+1))
}

// listSize returns the assumed length of the list that f returns.
func (e *estimate) listSize(f *ast.Field, key string, named, page int) int {
	if n, ok := e.limits.ListSizes[key]; ok {
		return n
	}
	if named != noSize {
		return named
	}
	if page != noSize {
		return page
	}
	if n := e.argumentLength(f); n != noSize {
		return n
	}
	return e.limits.ListSize
}

// argumentLength returns the length of the first list among f's arguments, which is that of the list in its result, or
// noSize.
func (e *estimate) argumentLength(f *ast.Field) int {
	for _, argument := range f.Arguments {
		if n, ok := e.listLength(argument.Value); ok {
			return n
		}
	}
	return noSize
}

// pageSize returns f's first, last or limit, the largest if there are several. The size of a field that has one of
// these arguments without a value is ListSize.
func (e *estimate) pageSize(f *ast.Field) int {
	size, pages := noSize, false
	for _, name := range []string{"first", "last", "limit"} {
		definition := f.Definition.Arguments.ForName(name)
		if definition == nil {
			continue
		}
		pages = true
		value := definition.DefaultValue
		if given := f.Arguments.ForName(name); given != nil {
			value = given.Value
		}
		if n, ok := integer(e.value(value)); ok {
			size = max(size, e.page(n))
		}
	}
	if pages && size == noSize {
		return e.limits.ListSize
	}
	return size
}

// page limits a requested page size to PageSize.
func (e *estimate) page(n int) int {
	if e.limits.PageSize >= 0 {
		n = min(n, e.limits.PageSize)
	}
	return max(n, 0)
}

func (e *estimate) value(v *ast.Value) any {
	if v == nil {
		return nil
	}
	value, err := v.Value(e.variables)
	if err != nil {
		return nil
	}
	return value
}

// deferred returns the cost of @defer on a fragment.
func (e *estimate) deferred(directives ast.DirectiveList) int {
	d := directives.ForName("defer")
	if d == nil {
		return 0
	}
	if argument := d.Arguments.ForName("if"); argument != nil {
		if on, known := e.value(argument.Value).(bool); known && !on {
			return 0
		}
	}
	return deferCost
}

// included evaluates @skip and @include.
func (e *estimate) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		argument := d.Arguments.ForName("if")
		if argument == nil {
			continue
		}
		on, known := e.value(argument.Value).(bool)
		if known && (d.Name == "skip" && on || d.Name == "include" && !on) {
			return false
		}
	}
	return true
}

func coordinate(f *ast.Field) string {
	if f.ObjectDefinition == nil {
		return f.Name
	}
	return f.ObjectDefinition.Name + "." + f.Name
}

// times multiplies without overflow; both factors are at most maxCount.
func times(a, b int) int {
	if a > 0 && b > maxCount/a {
		return maxCount
	}
	return a * b
}

// integer returns the integer in any type that literals and variables have.
func integer(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(min(n, maxCount)), true
	case float64:
		return int(min(n, maxCount)), n == n
	case json.Number:
		return parseInteger(n.String())
	case string:
		return parseInteger(n)
	default:
		return 0, false
	}
}

func parseInteger(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return min(n, maxCount), err == nil
}
