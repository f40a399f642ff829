package arch

import (
	"go/ast"
	"testing"
)

func TestNames_RetiredIdentifiers_AreNotDeclared(t *testing.T) {
	rows := readTable(t, "names.txt", 3)
	for _, file := range loadModule(t) {
		if file.generated {
			continue
		}
		retired := map[string]string{}
		for _, cells := range rows {
			if matches(cells[0], file.pkg) {
				retired[cells[1]] = cells[2]
			}
		}
		for _, name := range declaredNames(file.ast) {
			if use, found := retired[name.Name]; found {
				t.Errorf("%s: %s is a retired name; use %s", file.position(name), name.Name, use)
			}
		}
	}
}

// declaredNames returns every identifier that a file declares: types, functions, methods, fields, constants,
// variables, parameters and results.
func declaredNames(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			names = append(names, node.Name)
		case *ast.TypeSpec:
			names = append(names, node.Name)
		case *ast.Field:
			names = append(names, node.Names...)
		case *ast.ValueSpec:
			names = append(names, node.Names...)
		case *ast.AssignStmt:
			if node.Tok.String() != ":=" {
				break
			}
			for _, left := range node.Lhs {
				if name, ok := left.(*ast.Ident); ok {
					names = append(names, name)
				}
			}
		case *ast.RangeStmt:
			for _, left := range []ast.Expr{node.Key, node.Value} {
				if name, ok := left.(*ast.Ident); ok {
					names = append(names, name)
				}
			}
		}
		return true
	})
	return names
}
