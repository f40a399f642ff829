package graphqlhttp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/stretchr/testify/require"
)

// titles selects one text under n aliases.
func titles(n int) string {
	return `{ items(first: 1) { nodes { ` + times(n, func(i int) string { return fmt.Sprintf("a%d: title ", i) }) + `} } }`
}

func small(o *serverOptions) { o.ResponseBytes = 1000 }

// requireTooLarge checks the error that names the limit and its value.
func requireTooLarge(t *testing.T, text string) {
	t.Helper()
	require.Less(t, len(text), 600)
	for _, part := range []string{`COMPLEXITY_LIMIT_EXCEEDED`, `"limit":"responseBytes"`, `"max":1000`, `"data":null`} {
		require.Contains(t, text, part)
	}
}

func TestResponseBudget_Exceeded_ErrorInsteadOfData(t *testing.T) {
	b := start(t, small)
	require.Empty(t, b.query(titles(10), "").code())
	a := b.query(titles(190), "", "Accept", responseType)
	require.Equal(t, 294, a.status, "it was executed")
	requireTooLarge(t, a.body)
	require.Empty(t, b.query(`{ big(n: 5000) }`, "").code(), "fields of the root type are not counted")

	c := b.ready("alice")
	c.subscribe("1", titles(190))
	m := c.read()
	require.Equal(t, "next", m.Type)
	requireTooLarge(t, string(m.Payload))
	c.expect("complete", "1", "")
	requireTooLarge(t, b.openSSE(titles(190)).event())
}

func TestResponseBudget_Subscription_ResetForEachEvent(t *testing.T) {
	b := start(t, small)
	c := b.ready("alice")
	c.subscribe("1", `subscription { topic(name: "a") { n a: text b: text } }`)
	for i, n := range []int{400, 400, 600, 400} {
		b.root.Topic("a") <- &fixture.Event{N: i, Text: strings.Repeat("x", n)}
		payload := string(c.read().Payload)
		if n == 600 {
			requireTooLarge(t, payload)
		} else {
			require.Contains(t, payload, fmt.Sprintf(`"n":%d`, i))
		}
	}
}

func TestResponseBudget_Defer_SharedByPayloads(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.ResponseBytes = 80 })
	b.root.Slow = make(chan struct{}) // otherwise the later payloads may use the budget of the initial one
	answer := b.openMultipart(`{ pets { name ... @defer { a: slow b: slow c: slow } } }`, apolloDefer)
	var first increment
	require.NoError(t, json.Unmarshal([]byte(answer.part()), &first))
	require.NotNil(t, first.Data)
	close(b.root.Slow)
	var codes []any
	for _, part := range answer.parts() {
		for _, patch := range part.Incremental {
			for _, e := range patch.Errors {
				codes = append(codes, e["extensions"].(map[string]any)["limit"])
			}
		}
	}
	require.Contains(t, codes, "responseBytes")
}
