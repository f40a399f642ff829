package limits

import "github.com/vektah/gqlparser/v2/ast"

// pairCounter counts the pairs of fields that validation must compare: those with the same response name in selection
// sets that execution merges, fragments expanded.
type pairCounter struct {
	fragments map[string]*ast.FragmentDefinition
	pairs     int
}

// group holds the fields of merged selection sets with the same response name.
type group struct {
	fields int
	nested []ast.SelectionSet
}

// count counts the pairs in selection sets that execution merges. The work is at most proportional to the expanded
// fields, which are limited before.
func (p *pairCounter) count(sets []ast.SelectionSet, depth int) {
	if depth > maxPairDepth {
		return
	}
	groups := map[string]*group{}
	visited := map[string]bool{}
	for _, set := range sets {
		p.collect(set, groups, visited)
	}
	for _, g := range groups {
		p.pairs = sum(p.pairs, g.fields*(g.fields-1)/2)
		if len(g.nested) > 0 {
			p.count(g.nested, depth+1)
		}
	}
}

// maxPairDepth ends the recursion in cyclic fragments when the depth limit is disabled.
const maxPairDepth = 1000

func (p *pairCounter) collect(set ast.SelectionSet, groups map[string]*group, visited map[string]bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			g := groups[s.Alias]
			if g == nil {
				g = &group{}
				groups[s.Alias] = g
			}
			g.fields++
			if len(s.SelectionSet) > 0 {
				g.nested = append(g.nested, s.SelectionSet)
			}
		case *ast.InlineFragment:
			p.collect(s.SelectionSet, groups, visited)
		case *ast.FragmentSpread:
			definition := p.fragments[s.Name]
			if definition != nil && !visited[s.Name] {
				visited[s.Name] = true
				p.collect(definition.SelectionSet, groups, visited)
			}
		}
	}
}
