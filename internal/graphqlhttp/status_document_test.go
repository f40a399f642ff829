package graphqlhttp_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatuses_ErrorsDocument_ListsThoseOfThePackage(t *testing.T) {
	statuses := func(file, row string) []string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var found []string
		for _, match := range regexp.MustCompile(row).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		require.NotEmpty(t, found, file)
		slices.Sort(found)
		return slices.Compact(found)
	}
	require.Equal(t, statuses("doc.go", `(?m)^//\t(\d{3})  `), statuses("../../docs/ERRORS.md", `(?m)^\| (\d{3}) \|`))
}
