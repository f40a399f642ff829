package graphqlhttp_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"errand/internal/graphqlhttp"

	"github.com/stretchr/testify/require"
)

func TestStatuses_DocumentedTables_HaveEachStatus(t *testing.T) {
	var defined []string
	for _, status := range graphqlhttp.Statuses() {
		require.NotEmpty(t, status.Meaning)
		defined = append(defined, strconv.Itoa(status.Code))
	}
	require.IsIncreasing(t, defined)
	for document, row := range map[string]*regexp.Regexp{
		"doc.go":               regexp.MustCompile(`(?m)^//\t([2345]\d\d)  `),
		"../../docs/ERRORS.md": regexp.MustCompile(`(?m)^\| (\d{3}) \|`),
	} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		var documented []string
		for _, match := range row.FindAllStringSubmatch(string(text), -1) {
			documented = append(documented, match[1])
		}
		require.Equal(t, defined, documented, document)
	}
}
