// Package limits decides, before any expensive work, whether a GraphQL document may run.
//
// Validation itself can be made to cost seconds (its overlapping-fields rule is
// quadratic), so the counts of Check are taken on the bare syntax tree in linear time,
// fragments expanded by arithmetic and never by copying. Estimate needs the schema and the
// variables, so it comes after validation and before execution.
package limits

// Limits bounds one document. A zero field takes its value from Default; a negative
// one switches that limit off.
type Limits struct {
	// Bytes is the length of the document. Long texts belong into variables.
	Bytes int
	// Tokens is the number of lexical tokens in the whole document.
	Tokens int
	// Operations is the number of operation definitions in the document.
	Operations int
	// Fragments is the number of fragment definitions in the document.
	Fragments int
	// Spreads is the number of fragment spreads in the document, as it is written.
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
	// Pairs is the number of pairs of fields that share a response name and a place, which
	// is what validation must compare with one another.
	Pairs int

	// InputDepth is the deepest nesting of lists and objects in an argument or a variable.
	InputDepth int

	// Cost is the highest estimated number of fields that one operation may resolve.
	Cost int
	// ListSize is the assumed length of a list that no argument bounds.
	ListSize int
	// PageSize is the longest page a connection ever returns: a larger first or last is
	// estimated at this size, and refused by the field itself as bad input.
	PageSize int
	// ListSizes overrides ListSize for single fields, keyed "Type.field".
	ListSizes map[string]int
	// FieldCosts overrides the cost of 1 for single fields, keyed "Type.field", and the cost
	// of 0 for fields of an argument's input object, keyed "Input.field".
	FieldCosts map[string]int
}

// Default returns the documented defaults. They let the standard introspection query
// and generous pages of real front ends pass, and keep the worst document that passes
// under a tenth of a second of CPU.
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
