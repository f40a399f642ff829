package ws_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"errand/internal/graphqlhttp/ws"

	"github.com/stretchr/testify/require"
)

// The rows of the tables of close codes, and the declarations of the reasons.
var (
	packageRow  = regexp.MustCompile(`(?m)^//\t(\d{4})  .{43}(.+)$`)
	documentRow = regexp.MustCompile(`(?m)^\| (\d{4}) \|.*\| ([^|]+) \|$`)
	declaration = regexp.MustCompile(`(?m)^\tClose\w+ = CloseReason\{`)
)

func TestCloseReasons_DocumentedTables_HaveEachCodeAndAdvice(t *testing.T) {
	defined := map[string]bool{}
	for _, r := range ws.CloseReasons() {
		defined[fmt.Sprintf("%d %s", r.Code, r.Advice)] = true
	}
	for document, row := range map[string]*regexp.Regexp{
		"../doc.go":               packageRow,
		"../../../docs/ERRORS.md": documentRow,
	} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		documented := map[string]bool{}
		for _, match := range row.FindAllStringSubmatch(string(text), -1) {
			documented[match[1]+" "+match[2]] = true
		}
		require.Equal(t, defined, documented, document)
	}
}

func TestCloseReasons_HasEachDeclaredReason(t *testing.T) {
	source, err := os.ReadFile("close_reason.go")
	require.NoError(t, err)
	require.Len(t, ws.CloseReasons(), len(declaration.FindAll(source, -1)))
}
