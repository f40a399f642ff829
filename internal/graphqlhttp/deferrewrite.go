package graphqlhttp

import "github.com/vektah/gqlparser/v2/ast"

// typeNameAlias is the response name of the type names that addTypeNames adds. Names
// that begin with two underscores are reserved, and no answer shows it.
const typeNameAlias = "__errandTypeName"

// eachSelection calls visit with every selection of doc, outer ones first.
func eachSelection(doc *ast.QueryDocument, visit func(ast.Selection)) {
	for _, op := range doc.Operations {
		eachBelow(op.SelectionSet, visit)
	}
	for _, f := range doc.Fragments {
		eachBelow(f.SelectionSet, visit)
	}
}

func eachBelow(set ast.SelectionSet, visit func(ast.Selection)) {
	for _, selection := range set {
		visit(selection)
		switch s := selection.(type) {
		case *ast.Field:
			eachBelow(s.SelectionSet, visit)
		case *ast.InlineFragment:
			eachBelow(s.SelectionSet, visit)
		}
	}
}

func usesDefer(doc *ast.QueryDocument) bool {
	found := false
	eachSelection(doc, func(selection ast.Selection) {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			found = found || s.Directives.ForName("defer") != nil
		case *ast.FragmentSpread:
			found = found || s.Directives.ForName("defer") != nil
		}
	})
	return found
}

// removeDefer makes doc one that answers in one piece.
func removeDefer(doc *ast.QueryDocument) {
	eachSelection(doc, func(selection ast.Selection) {
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

// addTypeNames selects the type's name, under a hidden alias, wherever a field of a
// validated doc returns an interface or a union.
func addTypeNames(doc *ast.QueryDocument, schema *ast.Schema) {
	eachSelection(doc, func(selection ast.Selection) {
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
			Alias:            typeNameAlias,
			ObjectDefinition: owner,
			Definition:       &ast.FieldDefinition{Name: "__typename", Type: ast.NonNullNamedType("String", nil)},
			Position:         field.Position,
		})
	})
}
