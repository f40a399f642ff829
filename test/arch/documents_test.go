package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// documentedPath is a path of this repository in backticks, alone or in a command.
var documentedPath = regexp.MustCompile(
	"(?:^|[` (./])((?:cmd|docs|ent|examples|graph|internal|migrations|ops|release|test|web)/[A-Za-z0-9_./*{},-]+)")

func TestDocuments_Paths_Exist(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	require.NoError(t, err)
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", ".github/CODEOWNERS"} {
		documents = append(documents, filepath.Join(root, name))
	}
	for _, document := range documents {
		content, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, match := range documentedPath.FindAllStringSubmatch(string(content), -1) {
			path := strings.TrimRight(strings.TrimSuffix(match[1], "/..."), "./,")
			if strings.ContainsAny(path, "{}") {
				path = path[:strings.IndexByte(path, '{')] + "*"
			}
			found, err := filepath.Glob(filepath.Join(root, path))
			require.NoError(t, err)
			require.NotEmpty(t, found, "%s names %s, which does not exist", document, match[1])
		}
	}
}
