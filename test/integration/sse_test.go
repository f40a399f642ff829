package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// sseStream is an operation over server-sent events.
type sseStream struct {
	lines *bufio.Scanner
}

// openSSE starts an operation over server-sent events. It ends with the test.
func openSSE(t testing.TB, c *testclient.Client, document string, v testclient.Vars) *sseStream {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+c.Token)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, response.Header.Get("Content-Type"), "text/event-stream")
	return &sseStream{lines: bufio.NewScanner(response.Body)}
}

// next returns the next event and its data, or empty strings at the end.
func (e *sseStream) next() (event, data string) {
	for e.lines.Scan() {
		line := e.lines.Text()
		if name, ok := strings.CutPrefix(line, "event:"); ok {
			event = strings.TrimSpace(name)
		}
		if text, ok := strings.CutPrefix(line, "data:"); ok {
			data = strings.TrimSpace(text)
		}
		if line == "" && event != "" {
			return event, data
		}
	}
	return "", ""
}

// drain reads to the end and returns the last event and all data.
func (e *sseStream) drain() (last, data string) {
	for event, text := e.next(); event != ""; event, text = e.next() {
		last, data = event, data+text
	}
	return last, data
}
