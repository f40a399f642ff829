package integration

import (
	"fmt"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestRequest_ManyLargeCreates_AreCheap creates as many tasks as a request may, with as many different words as the
// search index takes. It does not run in parallel, because it measures the process.
func TestRequest_ManyLargeCreates_AreCheap(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url, harness.Settings{"LOG_LEVEL": "warn"})
		c := b.Client(t, "alice")
		word := 0
		request := func() testclient.Response {
			var document strings.Builder
			document.WriteString("mutation (")
			vars := testclient.Vars{}
			for i := range 30 {
				fmt.Fprintf(&document, "$t%d: String ", i)
				var text strings.Builder
				for range 1000 {
					word++
					fmt.Fprintf(&text, "%07x ", word)
				}
				vars[fmt.Sprintf("t%d", i)] = text.String()
			}
			document.WriteString(") { ")
			for i := range 30 {
				fmt.Fprintf(&document, `a%d: createTask(input: {title: "x", description: $t%d}) { task { id } } `, i, i)
			}
			document.WriteString("}")
			return c.Try(t, document.String(), vars)
		}
		require.Empty(t, request().Errors)
		require.Equal(t, 30*1001, b.Count(t, "SELECT count(*) FROM task_terms"), "1,000 words and the title of each task")
		requireCheap(t, request)
	})
}
