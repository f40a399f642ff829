package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const errorsDocument = "docs/ERRORS.md"

func TestErrorsDocument_Codes_AreThoseOfTheSource(t *testing.T) {
	defined := matchesIn(t, `= "([A-Z_]+)"|"code":\s+"([A-Z_]+)"`, sourcesIn(t,
		"internal/apperr", "graph", "internal/graphqlhttp", "internal/graphqlhttp/exec", "internal/graphqlhttp/limits",
		"internal/graphqlhttp/ws", "internal/graphqlhttp/incremental")...)
	require.Contains(t, defined, "NOT_FOUND")
	require.Contains(t, defined, "PERSISTED_QUERY_NOT_FOUND")
	require.Equal(t, defined, namesIn(firstColumn(t, "## Codes")))
}

func TestErrorsDocument_ExtensionMembers_AreThoseOfTheSource(t *testing.T) {
	defined := matchesIn(t, `xtensions\["(\w+)"\](?:, \S+)? =|, (?:\S+\.)?[eE]xtensions\["(\w+)"\] =|"(\w+)":\s+e\.`,
		sourcesIn(t, "internal/apperr", "graph", "internal/graphqlhttp/exec", "internal/graphqlhttp/limits")...)
	delete(defined, "code") // stated in the text
	require.Contains(t, defined, "retryAfterMs")
	require.Equal(t, defined, namesIn(firstColumn(t, "## Shape")))
}

func TestErrorsDocument_ReferencedFromSDL(t *testing.T) {
	sdl, err := os.ReadFile(filepath.Join(root, "graph/schema.graphqls"))
	require.NoError(t, err)
	require.Contains(t, string(sdl), errorsDocument)
}

// sourcesIn returns the Go files of packages, without tests.
func sourcesIn(t *testing.T, packages ...string) []string {
	var sources []string
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(root, p, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, p)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				sources = append(sources, file)
			}
		}
	}
	return sources
}

// matchesIn returns the groups that a pattern matches in files.
func matchesIn(t *testing.T, pattern string, files ...string) map[string]bool {
	found := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(content), -1) {
			for _, group := range match[1:] {
				if group != "" {
					found[group] = true
				}
			}
		}
	}
	return found
}

// firstColumn returns the first cells of the first table below a heading of the errors document.
func firstColumn(t *testing.T, heading string) string {
	content, err := os.ReadFile(filepath.Join(root, errorsDocument))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(content), "\n"+heading+"\n")
	require.True(t, found, heading)
	_, table, found := strings.Cut(section, "\n|---")
	require.True(t, found, heading)
	table, _, _ = strings.Cut(table, "\n\n")
	var cells []string
	for _, row := range strings.Split(table, "\n")[1:] {
		cell, _, _ := strings.Cut(strings.TrimPrefix(row, "|"), "|")
		cells = append(cells, cell)
	}
	return strings.Join(cells, "\n")
}

// namesIn returns the words in backticks.
func namesIn(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(text, -1) {
		found[match[1]] = true
	}
	return found
}
