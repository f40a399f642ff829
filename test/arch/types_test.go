package arch

import (
	"go/ast"
	"testing"

	"github.com/stretchr/testify/require"
)

// Types above both limits need a reason in types.txt.
const (
	maxMethods = 20
	maxFiles   = 3
)

func TestTypes_ManyMethodsInManyFiles_HaveAReason(t *testing.T) {
	reasons := map[string]bool{}
	for _, cells := range readTable(t, "types.txt", 2) {
		require.NotEmpty(t, cells[1], "%s has no reason", cells[0])
		reasons[cells[0]] = true
	}
	methods, files := map[string]int{}, map[string]map[string]bool{}
	for _, file := range loadModule(t) {
		if file.generated || file.test {
			continue
		}
		for _, decl := range file.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			name := file.pkg + "." + receiverType(fn.Recv.List[0].Type)
			methods[name]++
			if files[name] == nil {
				files[name] = map[string]bool{}
			}
			files[name][file.name] = true
		}
	}
	for name, n := range methods {
		large := n > maxMethods && len(files[name]) > maxFiles
		if large && !reasons[name] {
			t.Errorf("%s has %d methods in %d files: split it or state the reason in types.txt", name, n, len(files[name]))
		}
		if !large && reasons[name] {
			t.Errorf("%s has %d methods in %d files: remove it from types.txt", name, n, len(files[name]))
		}
		delete(reasons, name)
	}
	for name := range reasons {
		t.Errorf("types.txt names %s, which does not exist", name)
	}
}

// receiverType returns the name of a receiver's type without pointer and type parameters.
func receiverType(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiverType(expr.X)
	case *ast.IndexExpr:
		return receiverType(expr.X)
	case *ast.IndexListExpr:
		return receiverType(expr.X)
	case *ast.Ident:
		return expr.Name
	default:
		return ""
	}
}
