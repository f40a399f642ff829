package limits

import "github.com/vektah/gqlparser/v2/ast"

// pairCounter counts the pairs of fields that validation has to compare: those that
// share a response name after fragments are merged into the place where they are spread.
type pairCounter struct {
	fragments map[string]*ast.FragmentDefinition
	pairs     int
}

// group is the fields of one place that share a response name.
type group struct {
	fields int
	below  []ast.SelectionSet
}

// scope counts one place. sets are the selection sets that execution merges there. The
// work is at most proportional to the expanded fields, which are checked beforehand.
func (p *pairCounter) scope(sets []ast.SelectionSet, depth int) {
	if depth > ceilingDepth {
		return
	}
	groups := map[string]*group{}
	visited := map[string]bool{}
	for _, set := range sets {
		p.collect(set, groups, visited)
	}
	for _, g := range groups {
		p.pairs = sum(p.pairs, g.fields*(g.fields-1)/2)
		if len(g.below) > 0 {
			p.scope(g.below, depth+1)
		}
	}
}

// ceilingDepth ends the descent into cyclic fragments when the depth limit is off.
const ceilingDepth = 1000

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
				g.below = append(g.below, s.SelectionSet)
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
