package config

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLimits_Documented checks that the table of limits in docs/SECURITY.md names every limit that is a setting. A row
// may abbreviate names with a common beginning, such as QUERY_MAX_TOKENS, _DEPTH.
func TestLimits_Documented(t *testing.T) {
	text, err := os.ReadFile("../../docs/SECURITY.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "\n## Limits\n")
	require.True(t, found)
	for _, settings := range []reflect.Type{
		reflect.TypeFor[Connections](), reflect.TypeFor[Limits](), reflect.TypeFor[Turns](),
	} {
		for name, variable := range variableNames(settings) {
			full := "`" + variable + "`"
			abbreviated := "`" + strings.TrimPrefix(variable, "QUERY_MAX") + "`"
			require.True(t, strings.Contains(table, full) || strings.Contains(table, abbreviated), "%s %s", name, variable)
		}
	}
}
