package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// allocationBounds are requests that the benchmark measures, with the maximum of allocations and of allocated bytes
// of one of them: what was measured, and 15 % more.
var allocationBounds = []struct {
	name, document string
	n              int // the variable $n
	ids            int // in the response
	objects, bytes uint64
	// raceBytes is bytes with the race detector, with which sync.Pool drops a quarter of what is put back.
	raceBytes uint64
}{
	{
		name: "50 tasks",
		document: `query ($n: Int!) { tasks(first: $n) {
			edges { node { id number title completed priority createdAt } } pageInfo { hasNextPage } } }`,
		n: 50, ids: 50,
		objects: 727,
		bytes:   58_000, raceBytes: 125_000,
	},
	{
		name: "20 conversations of 10 messages",
		document: `query ($n: Int!) { conversations(first: $n) { edges { node {
			id title messages(last: 10) { edges { node { id position role content status } } } } } } }`,
		n: 20, ids: 220,
		objects: 3415,
		bytes:   340_000, raceBytes: 550_000,
	},
}

// The test is not parallel, because it counts the allocations of the process.
func TestAllocations_Pages_Bounded(t *testing.T) {
	e := harness.Start(t, testdb.PostgresURL(t), harness.Settings{"LOG_LEVEL": "info"})
	client := e.Client(t, "Ada")
	id := harness.ViewerID(t, client)
	e.AddTasks(t, id, 100)
	addConversations(t, e, id)
	for _, request := range allocationBounds {
		t.Run(request.name, func(t *testing.T) {
			c := newRawClient(t, e.URL())
			first := c.prepare(t, map[string]any{"query": request.document, "variables": map[string]any{"n": request.n}})
			require.Equal(t, request.ids, bytes.Count(first, []byte(`"id":`)), "%.500s", first)
			objects, size := c.allocations(t)
			t.Logf("%d allocations, %d bytes per request", objects, size)
			require.LessOrEqual(t, objects, request.objects)
			if harness.RaceEnabled {
				require.LessOrEqual(t, size, request.raceBytes)
				return
			}
			require.LessOrEqual(t, size, request.bytes)
		})
	}
}

// addConversations inserts 20 conversations with 20 messages each.
func addConversations(t *testing.T, e *harness.Env, userID string) {
	t.Helper()
	ctx, root := viewer.NewContext(context.Background(), viewer.Viewer{UserID: userID}), e.SystemClient(t)
	for range 20 {
		conversation := root.Conversation.Create().SetMessageCount(20).SetTitle("a talk").SaveX(ctx)
		messages := make([]*ent.MessageCreate, 20)
		for i := range messages {
			messages[i] = root.Message.Create().SetConversationID(conversation.ID).SetPosition(i + 1).
				SetRole(enum.RoleUser).SetContent(strings.Repeat("some words ", 15))
		}
		root.Message.CreateBulk(messages...).ExecX(ctx)
	}
}

// rawClient repeats one request on one connection without allocations of its own.
type rawClient struct {
	conn              net.Conn
	reader            *bufio.Reader
	request, response []byte
}

func newRawClient(t *testing.T, url string) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return &rawClient{conn: conn, reader: bufio.NewReaderSize(conn, 64<<10)}
}

// prepare sends the request for the first time. Its response, which it returns, has the length of all others.
func (c *rawClient) prepare(t *testing.T, request any) []byte {
	t.Helper()
	body, err := json.Marshal(request)
	require.NoError(t, err)
	c.request = fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		c.conn.RemoteAddr(), harness.Token(t, "Ada"), len(body), body)
	_, err = c.conn.Write(c.request)
	require.NoError(t, err)
	first := readRawResponse(t, c.reader)
	c.response = make([]byte, len(first))
	return first
}

func (c *rawClient) send(t *testing.T) {
	t.Helper()
	_, err := c.conn.Write(c.request)
	require.NoError(t, err)
	_, err = io.ReadFull(c.reader, c.response)
	require.NoError(t, err)
}

// allocations returns the allocations of a request and their bytes. The server's background work allocates too: the
// batch with the least of it counts.
func (c *rawClient) allocations(t *testing.T) (objects, size uint64) {
	t.Helper()
	const requests = 100
	objects, size = math.MaxUint64, math.MaxUint64
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range requests {
			c.send(t)
		}
		runtime.ReadMemStats(&after)
		objects = min(objects, (after.Mallocs-before.Mallocs)/requests)
		size = min(size, (after.TotalAlloc-before.TotalAlloc)/requests)
	}
	return objects, size
}

// readRawResponse reads one response with its header.
func readRawResponse(t *testing.T, r *bufio.Reader) []byte {
	t.Helper()
	var raw bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReaderSize(io.TeeReader(oneByteAtATime{r}, &raw), 16), nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	return raw.Bytes()
}

// oneByteAtATime keeps a buffered reader from reading beyond the response.
type oneByteAtATime struct{ io.Reader }

// Read implements io.Reader.
func (r oneByteAtATime) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }
