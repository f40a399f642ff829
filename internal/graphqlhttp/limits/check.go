package limits

import "github.com/vektah/gqlparser/v2/ast"

// Counts are the counts of a document that Check accepted.
type Counts struct {
	// Introspection is the number of fields at and below __schema and __type, fragments expanded.
	Introspection int
}

// Check counts a parsed document that has not been validated. The error is an *ExceededError.
func (l Limits) Check(doc *ast.QueryDocument) (Counts, error) {
	if v := l.checkDefinitions(doc); v != nil {
		return Counts{}, v
	}
	counts := countWritten(doc)
	if v := first(
		exceeded("spreads", l.Spreads, counts.spreads, "fragment spreads"),
		l.checkShape(counts.inputDepth, counts.inputList),
	); v != nil {
		return Counts{}, v
	}
	c := newCounter(doc)
	var whole tally
	for _, op := range doc.Operations {
		t := c.set(op.SelectionSet)
		if v := exceeded("rootFields", l.RootFields, t.top, "root fields"); v != nil {
			return Counts{}, v
		}
		t.directives = sum(t.directives, operationDirectives(op))
		whole.add(t)
	}
	whole.add(c.unused(doc))
	if v := l.checkTally(whole); v != nil {
		return Counts{}, v
	}
	if v := l.checkPairs(doc, c); v != nil {
		return Counts{}, v
	}
	return Counts{Introspection: whole.introspection}, nil
}

func (l Limits) checkDefinitions(doc *ast.QueryDocument) *ExceededError {
	variables := 0
	for _, op := range doc.Operations {
		variables += len(op.VariableDefinitions)
	}
	return first(
		exceeded("operations", l.Operations, len(doc.Operations), "operations"),
		exceeded("fragments", l.Fragments, len(doc.Fragments), "fragments"),
		exceeded("variables", l.Variables, variables, "variables"),
	)
}

func (l Limits) checkTally(t tally) *ExceededError {
	return first(
		exceeded("depth", l.Depth, t.depth, "levels of fields"),
		exceeded("fields", l.Fields, t.fields, "fields with fragments expanded"),
		exceeded("aliases", l.Aliases, t.aliases, "aliases with fragments expanded"),
		exceeded("directives", l.Directives, t.directives, "directives with fragments expanded"),
		exceeded("introspection", l.Introspection, t.introspection, "introspection fields"),
	)
}

// checkPairs must follow the other checks: its work is bounded by the accepted number of fields.
func (l Limits) checkPairs(doc *ast.QueryDocument, c *counter) *ExceededError {
	if l.Pairs < 0 {
		return nil
	}
	p := &pairCounter{fragments: c.fragments}
	for _, op := range doc.Operations {
		p.count([]ast.SelectionSet{op.SelectionSet}, 0)
	}
	for _, f := range doc.Fragments {
		p.count([]ast.SelectionSet{f.SelectionSet}, 0)
	}
	return exceeded("pairs", l.Pairs, p.pairs, "pairs of fields with the same name in the same place")
}

// unused counts fragments that no operation spreads, since validation processes them too.
func (c *counter) unused(doc *ast.QueryDocument) tally {
	var t tally
	for _, f := range doc.Fragments {
		if _, used := c.done[f.Name]; !used {
			t.add(c.fragment(f.Name))
		}
	}
	t.top = 0
	return t
}

func operationDirectives(op *ast.OperationDefinition) int {
	n := len(op.Directives)
	for _, v := range op.VariableDefinitions {
		n += len(v.Directives)
	}
	return n
}

func first(violations ...*ExceededError) *ExceededError {
	for _, v := range violations {
		if v != nil {
			return v
		}
	}
	return nil
}
