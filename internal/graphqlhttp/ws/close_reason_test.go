package ws_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"errand/internal/graphqlhttp/ws"

	"github.com/stretchr/testify/require"
)

func TestCloseReasons_DocumentedTable_HasEachCodeAndAdvice(t *testing.T) {
	source, err := os.ReadFile("../doc.go")
	require.NoError(t, err)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^//\t(\d{4})  .{43}(.+)$`).FindAllStringSubmatch(string(source), -1) {
		documented[row[1]+" "+row[2]] = true
	}
	defined := map[string]bool{}
	for _, r := range ws.CloseReasons() {
		defined[fmt.Sprintf("%d %s", r.Code, r.Advice)] = true
	}
	require.Equal(t, defined, documented)
}
