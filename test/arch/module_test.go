package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the module's folder, from here.
const root = "../.."

// sourceFile is one Go file of the module.
type sourceFile struct {
	pkg       string // package path without the module's, such as "internal/task"
	name      string // path below root
	test      bool
	generated bool
	fset      *token.FileSet
	ast       *ast.File
}

// loadModule parses every Go file of the module. Files under testdata and node_modules are not part of it.
func loadModule(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	fset := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if base != ".." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name, err = filepath.Rel(root, name)
		files = append(files, sourceFile{
			pkg:       path.Dir(filepath.ToSlash(name)),
			name:      filepath.ToSlash(name),
			test:      strings.HasSuffix(base, "_test.go"),
			generated: ast.IsGenerated(file),
			fset:      fset,
			ast:       file,
		})
		return err
	}))
	require.NotEmpty(t, files)
	return files
}

// imports maps the names under which f refers to other packages to their paths.
func (f sourceFile) imports() map[string]string {
	imports := map[string]string{}
	for _, spec := range f.ast.Imports {
		importPath, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = importPath
	}
	return imports
}

// position returns FILE:LINE of a node.
func (f sourceFile) position(node ast.Node) string {
	return f.name + ":" + strconv.Itoa(f.fset.Position(node.Pos()).Line)
}

// readTable reads the lines of a data file, split at "|" into exactly columns trimmed cells.
func readTable(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	var rows [][]string
	for i, line := range strings.Split(string(content), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		require.Lenf(t, cells, columns, "%s:%d", name, i+1)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// splitList splits a comma-separated cell; an empty cell has no elements.
func splitList(cell string) []string {
	elements := strings.Split(cell, ",")
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
	}
	return slices.DeleteFunc(elements, func(s string) bool { return s == "" })
}

// matches reports whether a package pattern covers pkg.
func matches(pattern, pkg string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == parent || strings.HasPrefix(pkg, parent+"/")
	}
	return pkg == pattern
}
