// Package limits rejects GraphQL documents that are too expensive, before the expensive work.
//
// Validation itself can take seconds, since its overlapping-fields rule is quadratic. So Check counts the syntax tree
// in linear time before validation; fragments are expanded by arithmetic, never by copying. Estimate needs the schema
// and the variables, so that it follows validation and precedes execution.
package limits

// Limits are the limits of one document. Filled replaces zero fields by those of Default; a negative field disables its
// limit.
type Limits struct {
	// Bytes is the length of the document. Long texts belong in variables.
	Bytes int
	// Tokens is the number of lexical tokens in the whole document.
	Tokens int
	// Operations is the number of operation definitions in the document.
	Operations int
	// Fragments is the number of fragment definitions in the document.
	Fragments int
	// Spreads is the number of fragment spreads in the document, fragments not expanded.
	Spreads int
	// Variables is the number of variable definitions in the document.
	Variables int
	// Depth is the deepest nesting of fields in any operation, fragments expanded.
	Depth int
	// Fields is the number of fields in all operations, fragments expanded at every spread.
	Fields int
	// Aliases is the number of aliased fields in all operations, fragments expanded.
	Aliases int
	// Directives is the number of directives in all operations, fragments expanded.
	Directives int
	// RootFields is the number of top-level fields of any one operation, fragments expanded.
	RootFields int
	// Introspection is the number of fields at and below __schema and __type in all
	// operations, fragments expanded. Such fields multiply by the size of the schema.
	Introspection int
	// Pairs is the number of pairs of fields with the same response name in the same selection set, which validation
	// must compare.
	Pairs int

	// InputDepth is the deepest nesting of lists and objects in an argument or a variable.
	InputDepth int
	// InputList is the number of elements of a list in an argument or a variable.
	InputList int

	// Cost is the maximum estimated number of fields that one operation resolves: QUERY_MAX_COMPLEXITY.
	Cost int
	// ListSize is the assumed length of a list without an argument that bounds it.
	ListSize int
	// PageSize is the maximum page size of a connection. A larger first or last is estimated at this size; the field
	// rejects it.
	PageSize int
	// ListSizes overrides ListSize for single fields, keyed "Type.field".
	ListSizes map[string]int
	// FieldCosts overrides the cost of 1 for single fields, keyed "Type.field", and the cost
	// of 0 for fields of an argument's input object, keyed "Input.field".
	FieldCosts map[string]int
}

// Default returns the defaults, which are those of .env.example where there is a variable. They allow the standard
// introspection query and large pages of real front ends, and the most expensive document that they allow takes less
// than 100 ms of CPU time.
func Default() Limits {
	return Limits{
		Bytes:         128 << 10,
		Tokens:        5000,
		Operations:    10,
		Fragments:     100,
		Spreads:       500,
		Variables:     100,
		Depth:         20,
		Fields:        2000,
		Aliases:       200,
		Directives:    200,
		RootFields:    30,
		Introspection: 300,
		Pairs:         5000,
		InputDepth:    20,
		InputList:     1000,
		Cost:          30000,
		ListSize:      20,
		PageSize:      100,
	}
}

// Filled returns l with every zero field replaced by its default.
func (l Limits) Filled() Limits {
	d := Default()
	for _, f := range []struct {
		value    *int
		fallback int
	}{
		{&l.Bytes, d.Bytes},
		{&l.Tokens, d.Tokens},
		{&l.Operations, d.Operations},
		{&l.Fragments, d.Fragments},
		{&l.Spreads, d.Spreads},
		{&l.Variables, d.Variables},
		{&l.Depth, d.Depth},
		{&l.Fields, d.Fields},
		{&l.Aliases, d.Aliases},
		{&l.Directives, d.Directives},
		{&l.RootFields, d.RootFields},
		{&l.Introspection, d.Introspection},
		{&l.Pairs, d.Pairs},
		{&l.InputDepth, d.InputDepth},
		{&l.InputList, d.InputList},
		{&l.Cost, d.Cost},
		{&l.ListSize, d.ListSize},
		{&l.PageSize, d.PageSize},
	} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
	}
	return l
}
