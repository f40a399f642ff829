package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"errand/ent"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// requestExport sends an export request and returns the response, whose body the caller reads.
func requestExport(t *testing.T, b *harness.Env, user, document string) *http.Response {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+harness.Token(t, user))
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	response, err := (&http.Client{Transport: transport}).Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	return response
}

// addLargeTasks stores n tasks of 20 KB, each with a history entry as large.
func addLargeTasks(t *testing.T, b *harness.Env, userID string, n int) {
	t.Helper()
	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: userID})
	text := strings.Repeat("ä", 10_000)
	for start := 0; start < n; start += 50 {
		batch := make([]*ent.TaskCreate, 50)
		for i := range batch {
			batch[i] = b.DB.Client().Task.Create().SetNumber(1000 + start + i).SetTitle("large").SetDescription(text)
		}
		require.NoError(t, b.DB.Client().Task.CreateBulk(batch...).Exec(ctx))
	}
}

// TestExport_LargeAccount_IsStreamedInConstantMemory reads 24 MB slowly: while the client has read only the beginning,
// no other export runs, and the live heap grows by a small part of the export. It does not run in parallel, because it
// measures the process.
func TestExport_LargeAccount_IsStreamedInConstantMemory(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		const tasks = 1200
		b := harness.Start(t, url, harness.Settings{"LOG_LEVEL": "warn"})
		addLargeTasks(t, b, harness.ViewerID(t, b.Client(t, "alice")), tasks)
		before := liveHeap()
		response := requestExport(t, b, "alice", `{ before: __typename exportViewer after: __typename }`)
		require.Negative(t, response.ContentLength, "the response is chunked")
		_, err := io.ReadFull(response.Body, make([]byte, 64<<10))
		require.NoError(t, err)
		busy := b.Client(t, "bob").Try(t, harness.ExportViewerDoc, nil)
		harness.RequireErrorCode(t, "RATE_LIMITED", busy)
		require.Positive(t, busy.Errors[0].Extensions.RetryAfterMs)

		peak := before
		read, buffer := 64<<10, make([]byte, 1<<20)
		for {
			n, err := response.Body.Read(buffer)
			if read += n; read/(4<<20) != (read-n)/(4<<20) { // each 4 MB
				peak = max(peak, liveHeap())
			}
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
		}
		require.Greater(t, read, tasks*20_000)
		t.Logf("the live heap grew by %d KB for an export of %d KB", (peak-before)>>10, read>>10)
		require.Less(t, peak-before, uint64(read/2))
		require.Empty(t, b.Client(t, "bob").Try(t, harness.ExportViewerDoc, nil).Errors)
	})
}

// liveHeap returns the bytes of reachable objects.
func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestExport_ClientLeaves_FreesPlace(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		addLargeTasks(t, b, harness.ViewerID(t, b.Client(t, "alice")), 1200)
		response := requestExport(t, b, "alice", harness.ExportViewerDoc)
		_, err := io.ReadFull(response.Body, make([]byte, 1<<10))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Eventually(t, func() bool {
			return len(b.Client(t, "bob").Try(t, harness.ExportViewerDoc, nil).Errors) == 0
		}, testclient.Timeout, harness.PollInterval)
	})
}

// TestExport_Aliases_OneIsWritten selects the export twice: the second is refused, the first is complete.
func TestExport_Aliases_OneIsWritten(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		harness.CreateTask(t, c, testclient.Vars{"title": "a task"})
		both := c.Try(t, `{ a: exportViewer b: exportViewer }`, nil)
		harness.RequireErrorCode(t, "RATE_LIMITED", both)
		require.Equal(t, "null", string(both.Data), "the field is not nullable")
		require.Empty(t, b.Client(t, "bob").Try(t, harness.ExportViewerDoc, nil).Errors, "the place is free again")
	})
}
