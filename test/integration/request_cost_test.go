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

// Bounds of the cost of one request to this process, including its client and, with SQLite, its database. The goal for
// CPU time is 100 ms; other work on the machine doubles CPU time, so the bound is wider, and the figures are logged.
const (
	maxCPU    = 300 * time.Millisecond
	maxMemory = 20 << 20
)

// costlyRequests lists the most expensive known requests by name. limit is the limit that
// rejects the request; requests without one succeed.
var costlyRequests = []struct{ name, document, limit string }{
	{"one text, many aliases", `{ tasks(first: 100) { nodes { ` + aliasedFields(190, "description") + ` } } }`, "cost"},
	{
		"one text, many aliases, one row", `{ task(number: 1) { ` + aliasedFields(190, "description") + ` } }`,
		"responseBytes",
	},
	{
		"the same without fastjson",
		`{ task(number: 1) { ` + aliasedFields(190, "description") + ` changes(first: 1) { totalCount } } }`,
		"responseBytes",
	},
	{
		"the same with and without fastjson",
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
		"as many texts as the cost limit allows",
		`{ conversations(first: 87) { nodes { messages(first: 5) { nodes { content } } } } }`,
		"responseBytes",
	},
	{"rows whose long texts are not selected", `{ conversations(first: 100) { nodes { messages(first: 5) { nodes {
		id role status position createdAt finishedAt unverified
				unverifiedReason usage { model cost } error { code retryAt } conversation { id title } } } } } }`, ""},
	{"histories", `{ tasks(first: 100) { nodes { changes(first: 100) { nodes { fields { from to } } } } } }`, "cost"},
	{
		"long values of changes",
		`{ tasks(first: 30) { nodes { changes(first: 1) { nodes { fields { name from to } } } } } }`,
		"",
	},
	{
		"more long values of changes",
		`{ tasks(first: 100) { nodes { changes(first: 1) { nodes { fields { from to } } } } } }`,
		"responseBytes",
	},
	{
		"one long value of a change, many aliases",
		`{ task(number: 1) { changes(first: 1) { nodes { ` + aliasedFields(90, "fields { to }") + ` } } } }`,
		"responseBytes",
	},
	{
		"many node lookups", `{ ` + aliasedFields(30, `nodes(ids: [`+strings.Repeat(`"x" `, 100)+`]) { id }`) + ` }`,
		"cost",
	},
	{
		"parents and children in turn",
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
	{"many lists of labels", `{ ` + aliasedFields(3, `labels { name count }`) + ` }`, "cost"},
	{"lists of labels", `{ ` + aliasedFields(2, `labels { name count }`) + ` }`, ""},
	{"many counts of overdue tasks", `{ ` + aliasedFields(10, `taskCounts { overdue }`) + ` }`, "cost"},
	{"many counters", `{ ` + aliasedFields(30, `taskCounts { pending completed trashed }`) + ` }`, ""},
	{"many lists", `{ ` + aliasedFields(30, `tasks(first: 100) { nodes { id title } }`) + ` }`, ""},
	{"many pages", `{ tasks(first: 100) { nodes { ` + aliasedFields(9, "changes(first: 1) { totalCount }") + ` } } }`, ""},
	{"many fields with fastjson", `{ tasks(first: 100) { nodes { ` + aliasedFields(195, "title") + ` } } }`, ""},
	{
		"many fields without fastjson",
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
	"many nested connections": `{ tasks(first: 100) { nodes { ` + deferredFragments(6,
		"changes(first: 1) { totalCount }") + ` } } }`,
	"nested fragments": `{ conversations(first: 100) { nodes { ... @defer { messages(first: 5) { nodes { id ... ` +
		`@defer { conversation { id } } } } } } } }`,
	"fragment with texts": `{ ... @defer { tasks(first: 38) { nodes { id description ... @defer { changes(first: 1) { ` +
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
		for _, tc := range costlyRequests {
			t.Run(tc.name, func(t *testing.T) {
				request := func() testclient.Response { return c.Try(t, tc.document, nil) }
				if a := request(); tc.limit == "" {
					require.Empty(t, a.Errors)
				} else if tc.limit != "-" {
					require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", a.ErrorCode(), "%.300s", a.Raw)
					require.Contains(t, a.Errors[0].Message, `"`+tc.limit+`"`)
				}
				requireCheap(t, request)
			})
		}
		for name, document := range costlyDeferredRequests {
			t.Run("deferred: "+name, func(t *testing.T) {
				require.Contains(t, readIncremental(t, c, document), `"hasNext":false`)
				requireCheap(t, func() string { return readIncremental(t, c, document) })
			})
		}
	})
}

// requireCheap checks the bounds against the best of at most ten measurements, because other processes disturb
// them; with the race detector of three.
func requireCheap[T any](t *testing.T, request func() T) {
	t.Helper()
	cpuLimit, memoryLimit, repeats := maxCPU, uint64(maxMemory), 10
	if harness.RaceEnabled {
		cpuLimit, memoryLimit, repeats = 20*maxCPU, 2*maxMemory, 3
	}
	var memory uint64
	cpu := cpuTime(func() any { memory = peakMemory(request); return nil })
	for i := 1; i < repeats && cpu >= cpuLimit; i++ {
		cpu = min(cpu, cpuTime(request))
	}
	for i := 1; i < repeats && memory >= memoryLimit; i++ {
		memory = min(memory, peakMemory(request))
	}
	t.Logf("%.1f ms, %.1f MB", float64(cpu)/1e6, float64(memory)/1e6)
	require.Less(t, cpu, cpuLimit)
	require.Less(t, memory, memoryLimit)
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
		conversation := root.Conversation.Create().SetMessageCount(5).SaveX(ctx)
		var messages []*ent.MessageCreate
		for i := range 5 {
			messages = append(messages, root.Message.Create().SetConversationID(conversation.ID).SetPosition(i+1).
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

// peakMemory returns the peak of additional live heap memory, sampled every millisecond.
func peakMemory[T any](do func() T) uint64 {
	if !harness.RaceEnabled { // with which frequent collections take minutes
		defer debug.SetGCPercent(debug.SetGCPercent(2))
	}
	runtime.GC()
	before := heapInUse()
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		highest, tick := before, time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				highest = max(highest, heapInUse())
			case <-done:
				peak <- highest - before
				return
			}
		}
	}()
	do()
	close(done)
	return <-peak
}

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
