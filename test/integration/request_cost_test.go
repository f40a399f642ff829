package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/chat"
	"errand/internal/task"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// Maximum cost of one request to this process, including its client and, with SQLite, its database.
const (
	mostCPU    = 100 * time.Millisecond
	mostMemory = 20 << 20
)

// costlyRequests lists the most expensive known requests by what they exploit. limit is the limit that
// rejects the request; requests without one succeed.
var costlyRequests = []struct{ what, document, limit string }{
	{"a text under many names", `{ tasks(first: 100) { nodes { ` + aliasedFields(190, "description") + ` } } }`, "cost"},
	{
		"a text under many names in one row", `{ task(number: 1) { ` + aliasedFields(190, "description") + ` } }`,
		"responseBytes",
	},
	{
		"the same by way of a plan that fails",
		`{ task(number: 1) { ` + aliasedFields(190, "description") + ` changes(first: 1) { totalCount } } }`,
		"responseBytes",
	},
	{
		"the same on each way at once",
		`{ ` + aliasedFields(
			2,
			`tasks(first: 80) { nodes { description changes(first: 1) { totalCount } } }`,
		) + aliasedFields(
			2,
			`tasks(first: 80) { nodes { description } }`,
		) + ` }`,
		"responseBytes",
	},
	{
		"all the texts that the cost lets through",
		`{ conversations(first: 87) { nodes { messages(first: 5) { nodes { content } } } } }`,
		"responseBytes",
	},
	{"texts that nobody asked for", `{ conversations(first: 100) { nodes { messages(first: 5) { nodes {
		id role status position createdAt finishedAt unverified
				unverifiedReason usage { model cost } error { code retryAt } conversation { id title } } } } } }`, ""},
	{"histories", `{ tasks(first: 100) { nodes { changes(first: 100) { nodes { fields { from to } } } } } }`, "cost"},
	{
		"rows of everything", `{ ` + aliasedFields(30, `nodes(ids: [`+strings.Repeat(`"x" `, 100)+`]) { id }`) + ` }`,
		"cost",
	},
	{
		"up and down",
		`{ conversations(first: 10) { nodes { messages(first: 10) { nodes { conversation { messages(first: 10) { nodes ` +
			`{ content } } } } } } } }`,
		"cost",
	},
	{
		"the longest word",
		`{ tasks(filter: {search: "` + strings.Repeat("🦊", 199) + `x"}) { totalCount nodes { id } } }`,
		"",
	},
	{"many words", `{ tasks(filter: {search: "` + strings.Repeat("🦊 ", 19) + `x"}) { totalCount nodes { id } } }`, ""},
	{"many searches", `{ ` + aliasedFields(30, `tasks(filter: {search: "x"}) { totalCount }`) + ` }`, "cost"},
	{"many counts", `{ ` + aliasedFields(30, `tasks(first: 1) { totalCount }`) + ` }`, ""},
	{"many lists", `{ ` + aliasedFields(30, `tasks(first: 100) { nodes { id title } }`) + ` }`, ""},
	{"many pages", `{ tasks(first: 100) { nodes { ` + aliasedFields(9, "changes(first: 1) { totalCount }") + ` } } }`, ""},
	{"many fields, planned", `{ tasks(first: 100) { nodes { ` + aliasedFields(195, "title") + ` } } }`, ""},
	{
		"many fields, each a step",
		`{ tasks(first: 100) { nodes { ` + aliasedFields(195, "title") + ` changes(first: 1) { totalCount } } } }`,
		"",
	},
	{
		"type names",
		`{ tasks(first: 100) { nodes { changes(first: 100) { nodes { ` + aliasedFields(195, "__typename") + ` } } } } }`,
		"cost",
	},
	{
		"the schema within the schema",
		`{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`,
		"-",
	},
}

// costlyDeferredRequests lists the most expensive known requests with @defer, which creates work for each
// row's fragments.
var costlyDeferredRequests = map[string]string{
	"long texts":     `{ tasks(first: 38) { nodes { id description ... @defer { title } } } }`,
	"many fragments": `{ tasks(first: 100) { nodes { ` + deferredFragments(17, "title") + ` } } }`,
	"many parts": `{ tasks(first: 100) { nodes { ` + deferredFragments(6,
		"changes(first: 1) { totalCount }") + ` } } }`,
	"parts with parts": `{ conversations(first: 100) { nodes { ... @defer { messages(first: 5) { nodes { id ... ` +
		`@defer { conversation { id } } } } } } } }`,
	"a part with texts": `{ ... @defer { tasks(first: 38) { nodes { id description ... @defer { changes(first: 1) { ` +
		`totalCount } } } } } }`,
}

func deferredFragments(n int, selection string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "... @defer(label: \"%d\") { a%d: %s } ", i, i, selection)
	}
	return out.String()
}

func aliasedFields(n int, selection string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "a%d_%d: %s ", n, i, selection)
	}
	return out.String()
}

// TestRequest_CostliestDocuments_AreCheap fills an account with the longest allowed texts and sends the most
// expensive requests. It does not run in parallel, because it measures the process. With the race detector
// the bounds are looser.
func TestRequest_CostliestDocuments_AreCheap(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url, harness.Settings{"LOG_LEVEL": "warn"})
		c := b.Client(t, "alice")
		seedLargeAccount(t, b, c)
		for _, worst := range costlyRequests {
			t.Run(worst.what, func(t *testing.T) {
				ask := func() testclient.Response { return c.Try(t, worst.document, nil) }
				if a := ask(); worst.limit == "" {
					require.Empty(t, a.Errors)
				} else if worst.limit != "-" {
					require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", a.ErrorCode(), "%.300s", a.Raw)
					require.Contains(t, a.Errors[0].Message, `"`+worst.limit+`"`)
				}
				requireCheap(t, ask)
			})
		}
		for what, document := range costlyDeferredRequests {
			t.Run("in parts: "+what, func(t *testing.T) {
				require.Contains(t, readIncremental(t, c, document), `"hasNext":false`)
				requireCheap(t, func() string { return readIncremental(t, c, document) })
			})
		}
	})
}

// requireCheap checks the bounds against the best of three measurements, because other processes disturb
// them; with the race detector against one.
func requireCheap[T any](t *testing.T, ask func() T) {
	t.Helper()
	slower, larger, more := time.Duration(1), uint64(1), 2
	if harness.RaceEnabled {
		slower, larger, more = 60, 2, 0
	}
	var memory uint64
	cpu := cpuTime(func() any { memory = peakMemory(ask); return nil })
	for range more {
		cpu = min(cpu, cpuTime(ask))
	}
	t.Logf("%.1f ms, %.1f MB", float64(cpu)/1e6, float64(memory)/1e6)
	require.Less(t, cpu, mostCPU*slower)
	require.Less(t, memory, mostMemory*larger)
}

// readIncremental returns the complete response for a client that accepts @defer.
func readIncremental(t *testing.T, c *testclient.Client, document string) string {
	t.Helper()
	body, err := json.Marshal(testclient.Vars{"query": document})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header = http.Header{
		"Content-Type":  {"application/json"},
		"Authorization": {"Bearer " + c.Token},
		"Accept":        {"multipart/mixed;deferSpec=20220824"},
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// seedLargeAccount creates a page of tasks and a hundred conversations with the longest texts.
func seedLargeAccount(t *testing.T, b *harness.Env, c *testclient.Client) {
	t.Helper()
	for i := range 100 {
		harness.CreateTask(t, c, testclient.Vars{"title": fmt.Sprint(i), "description": repeatEmoji(task.MaxDescription)})
	}
	me := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
	ctx, root := viewer.NewContext(context.Background(), viewer.Viewer{UserID: me}), b.SystemClient(t)
	for range 100 {
		talk := root.Conversation.Create().SetMessageCount(5).SaveX(ctx)
		var messages []*ent.MessageCreate
		for i := range 5 {
			messages = append(messages, root.Message.Create().SetConversationID(talk.ID).SetPosition(i+1).
				SetRole(enum.RoleUser).SetContent(repeatEmoji(chat.MaxContent)))
		}
		root.Message.CreateBulk(messages...).ExecX(ctx)
	}
}

// cpuTime returns the process's CPU time during do.
func cpuTime[T any](do func() T) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for RUSAGE_SELF
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	do()
	return used() - before
}

// peakMemory returns the peak of additional heap memory, measured after each garbage collection.
func peakMemory[T any](do func() T) uint64 {
	if !harness.RaceEnabled { // where collecting takes minutes
		defer debug.SetGCPercent(debug.SetGCPercent(2))
	}
	runtime.GC()
	before := heapInUse()
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		top, tick := before, time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				top = max(top, heapInUse())
			case <-done:
				most <- top - before
				return
			}
		}
	}()
	do()
	close(done)
	return <-most
}

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
