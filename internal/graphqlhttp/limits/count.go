package limits

import "github.com/vektah/gqlparser/v2/ast"

// tally holds the counts of one selection set, fragments expanded.
type tally struct {
	fields     int
	aliases    int
	directives int
	depth      int
	// top counts the fields of the set itself, without nested ones.
	top int
	// introspection counts the fields at and below __schema and __type.
	introspection int
}

// maxCount is where counts saturate, so that exponential expansions do not overflow.
const maxCount = 1 << 40

func sum(a, b int) int { return min(a+b, maxCount) }

// add adds the counts of a sibling selection.
func (t *tally) add(o tally) {
	t.fields = sum(t.fields, o.fields)
	t.aliases = sum(t.aliases, o.aliases)
	t.directives = sum(t.directives, o.directives)
	t.introspection = sum(t.introspection, o.introspection)
	t.top = sum(t.top, o.top)
	t.depth = max(t.depth, o.depth)
}

// counter counts selection sets. Each fragment is counted once; each spread adds the stored counts.
type counter struct {
	fragments map[string]*ast.FragmentDefinition
	done      map[string]tally
	active    map[string]bool
}

func newCounter(doc *ast.QueryDocument) *counter {
	c := &counter{
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		done:      make(map[string]tally, len(doc.Fragments)),
		active:    map[string]bool{},
	}
	for _, f := range doc.Fragments {
		if c.fragments[f.Name] == nil {
			c.fragments[f.Name] = f
		}
	}
	return c
}

func (c *counter) set(set ast.SelectionSet) tally {
	var t tally
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			t.add(c.field(s))
		case *ast.InlineFragment:
			t.add(c.set(s.SelectionSet))
			t.directives = sum(t.directives, len(s.Directives))
		case *ast.FragmentSpread:
			t.add(c.fragment(s.Name))
			t.directives = sum(t.directives, len(s.Directives))
		}
	}
	return t
}

func (c *counter) field(f *ast.Field) tally {
	t := c.set(f.SelectionSet)
	t.fields = sum(t.fields, 1)
	t.depth++
	t.top = 1
	t.directives = sum(t.directives, len(f.Directives))
	if f.Alias != "" && f.Alias != f.Name {
		t.aliases = sum(t.aliases, 1)
	}
	if f.Name == "__schema" || f.Name == "__type" {
		t.introspection = t.fields
	}
	return t
}

// fragment counts a named fragment. A cyclic spread and an unknown name count nothing: validation rejects both.
func (c *counter) fragment(name string) tally {
	if t, ok := c.done[name]; ok {
		return t
	}
	definition := c.fragments[name]
	if definition == nil || c.active[name] {
		return tally{}
	}
	c.active[name] = true
	t := c.set(definition.SelectionSet)
	t.directives = sum(t.directives, len(definition.Directives))
	delete(c.active, name)
	c.done[name] = t
	return t
}
