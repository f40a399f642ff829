package arch

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the package map in docs/ARCHITECTURE.md")

// packageRow is one line of packages.txt.
type packageRow struct {
	pattern string
	allowed []string
	owns    string
}

func readPackages(t *testing.T) []packageRow {
	t.Helper()
	var rows []packageRow
	for _, cells := range readTable(t, "packages.txt", 3) {
		rows = append(rows, packageRow{pattern: cells[0], allowed: splitList(cells[1]), owns: cells[2]})
	}
	return rows
}

// allows reports whether the row allows an import.
func (r packageRow) allows(imported string) bool {
	if slices.Contains(r.allowed, "*") {
		return imported != "cmd/errand" && (matches("test/...", r.pattern) || !matches("test/...", imported))
	}
	return slices.Contains(r.allowed, imported)
}

// entFolders are the hand-written packages below ent; the others are generated and count as ent.
var entFolders = []string{"ent/enum", "ent/gen", "ent/rule", "ent/schema"}

// foldEnt returns "ent" for the generated packages below ent, and other packages unchanged.
func foldEnt(pkg string) string {
	if strings.HasPrefix(pkg, "ent/") && !slices.Contains(entFolders, pkg) {
		return "ent"
	}
	return pkg
}

func TestPackageMap_Imports_AreAllowed(t *testing.T) {
	rows := readPackages(t)
	used := map[string]bool{} // "PATTERN", "PATTERN IMPORT", and packages without a line
	for _, file := range loadModule(t) {
		row, ok := findRow(rows, foldEnt(file.pkg))
		if !ok {
			if !used[file.pkg] {
				t.Errorf("%s: package %s has no line in packages.txt", file.name, file.pkg)
			}
			used[file.pkg] = true
			continue
		}
		used[row.pattern] = true
		if file.test {
			continue
		}
		for _, imported := range file.imports() {
			imported, ours := strings.CutPrefix(imported, "errand/")
			imported = foldEnt(imported)
			if !ours || imported == foldEnt(file.pkg) {
				continue
			}
			if reported := used[row.pattern+" "+imported]; !reported && !row.allows(imported) {
				t.Errorf("%s: package %s may not import %s, see packages.txt", file.name, file.pkg, imported)
			}
			used[row.pattern+" "+imported] = true
		}
	}
	for _, row := range rows {
		if !used[row.pattern] {
			t.Errorf("packages.txt: %s matches no package", row.pattern)
		}
		for _, allowed := range row.allowed {
			if allowed != "*" && !used[row.pattern+" "+allowed] {
				t.Errorf("packages.txt: %s does not import %s; remove it", row.pattern, allowed)
			}
		}
	}
}

// findRow returns the row with the longest pattern that matches pkg.
func findRow(rows []packageRow, pkg string) (found packageRow, ok bool) {
	for _, row := range rows {
		if matches(row.pattern, pkg) && len(row.pattern) > len(found.pattern) {
			found, ok = row, true
		}
	}
	return found, ok
}

func TestPackageMap_Document_IsUpToDate(t *testing.T) {
	const begin, end = "<!-- BEGIN package map -->\n", "<!-- END package map -->\n"
	name := filepath.Join(root, "docs/ARCHITECTURE.md")
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	head, rest, foundBegin := strings.Cut(string(content), begin)
	got, tail, foundEnd := strings.Cut(rest, end)
	require.True(t, foundBegin && foundEnd, "the markers of the package map are missing")
	want := documentTable(readPackages(t))
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(head+begin+want+end+tail), 0o600)) // keeps the file's mode
		return
	}
	require.Equal(t, want, got, "differs from packages.txt; run: go test ./test/arch -update")
}

// documentTable renders the map as a Markdown table.
func documentTable(rows []packageRow) string {
	var b strings.Builder
	b.WriteString("| package | owns | may import |\n|---|---|---|\n")
	for _, row := range rows {
		allowed := strings.Join(row.allowed, ", ")
		switch allowed {
		case "":
			allowed = "–"
		case "*":
			allowed = "everything"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.pattern, row.owns, allowed)
	}
	return b.String()
}
