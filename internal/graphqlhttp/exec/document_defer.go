package exec

import "github.com/vektah/gqlparser/v2/ast"

// TypeNameAlias is the response name of the type names that are added to queries with @defer. Names that begin with two
// underscores are reserved by the specification (section 3.3); the encoder of package incremental removes it from
// the response.
const TypeNameAlias = "__errandTypeName"

// walkDocument calls visit with every selection of doc, outer ones first.
func walkDocument(doc *ast.QueryDocument, visit func(ast.Selection)) {
	for _, op := range doc.Operations {
		walkSelections(op.SelectionSet, visit)
	}
	for _, f := range doc.Fragments {
		walkSelections(f.SelectionSet, visit)
	}
}

func walkSelections(set ast.SelectionSet, visit func(ast.Selection)) {
	for _, selection := range set {
		visit(selection)
		switch s := selection.(type) {
		case *ast.Field:
			walkSelections(s.SelectionSet, visit)
		case *ast.InlineFragment:
			walkSelections(s.SelectionSet, visit)
		}
	}
}

func usesDefer(doc *ast.QueryDocument) bool {
	found := false
	walkDocument(doc, func(selection ast.Selection) {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			found = found || s.Directives.ForName("defer") != nil
		case *ast.FragmentSpread:
			found = found || s.Directives.ForName("defer") != nil
		}
	})
	return found
}

// removeDefer removes @defer, so that the response is a single one.
func removeDefer(doc *ast.QueryDocument) {
	walkDocument(doc, func(selection ast.Selection) {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			s.Directives = withoutDefer(s.Directives)
		case *ast.FragmentSpread:
			s.Directives = withoutDefer(s.Directives)
		}
	})
}

func withoutDefer(directives ast.DirectiveList) ast.DirectiveList {
	var kept ast.DirectiveList
	for _, d := range directives {
		if d.Name != "defer" {
			kept = append(kept, d)
		}
	}
	return kept
}

// addTypeNames selects __typename, under TypeNameAlias, in each field of a validated document that returns an
// interface or a union.
func addTypeNames(doc *ast.QueryDocument, schema *ast.Schema) {
	walkDocument(doc, func(selection ast.Selection) {
		field, ok := selection.(*ast.Field)
		if !ok || len(field.SelectionSet) == 0 || field.Definition == nil {
			return
		}
		owner := schema.Types[field.Definition.Type.Name()]
		if owner == nil || !owner.IsAbstractType() {
			return
		}
		field.SelectionSet = append(field.SelectionSet, &ast.Field{
			Name:             "__typename",
			Alias:            TypeNameAlias,
			ObjectDefinition: owner,
			Definition:       &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)},
			Position:         field.Position,
		})
	})
}
