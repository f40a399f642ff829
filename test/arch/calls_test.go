package arch

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// use is a function and a package that refers to it.
type use struct{ function, pkg string }

func TestCalls_RestrictedFunctions_HaveTheListedCallers(t *testing.T) {
	allowed := map[use]int{}
	restricted := map[string]bool{}
	for _, cells := range readTable(t, "calls.txt", 4) {
		count, err := strconv.Atoi(cells[2])
		require.NoError(t, err)
		require.NotEmpty(t, cells[3], "%s in %s needs a reason", cells[0], cells[1])
		allowed[use{cells[0], cells[1]}] = count
		restricted[cells[0]] = true
	}
	found := map[use][]string{}
	for _, file := range loadModule(t) {
		if file.test || file.generated || matches("test/...", file.pkg) {
			continue
		}
		for function, positions := range file.uses(restricted) {
			key := use{function, file.pkg}
			found[key] = append(found[key], positions...)
		}
	}
	for key, positions := range found {
		if len(positions) > allowed[key] {
			t.Errorf("%s is used %d times in %s, calls.txt allows %d: %s",
				key.function, len(positions), key.pkg, allowed[key], strings.Join(positions, ", "))
		}
	}
	for key, count := range allowed {
		if len(found[key]) < count {
			t.Errorf("calls.txt allows %d uses of %s in %s, there are %d: lower it",
				count, key.function, key.pkg, len(found[key]))
		}
	}
}

// uses returns the positions at which a file refers to restricted functions, within their own package too.
func (f sourceFile) uses(restricted map[string]bool) map[string][]string {
	found := map[string][]string{}
	imports := f.imports()
	add := func(function string, node ast.Node) {
		if restricted[function] {
			found[function] = append(found[function], f.position(node))
		}
	}
	selected := map[*ast.Ident]bool{} // identifiers that are not references to this package's functions
	ast.Inspect(f.ast, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			selected[node.Name] = true
		case *ast.SelectorExpr:
			selected[node.Sel] = true
			if pkg, ok := node.X.(*ast.Ident); ok && imports[pkg.Name] != "" {
				add(imports[pkg.Name]+"."+node.Sel.Name, node)
			}
		case *ast.Ident:
			if !selected[node] {
				add(path.Join("errand", f.pkg)+"."+node.Name, node)
			}
		}
		return true
	})
	return found
}
