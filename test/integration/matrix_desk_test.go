package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"errand/internal/mcp"
	"errand/internal/testclient"

	"entgo.io/ent/privacy"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// desk is somebody's assistant, with what it was notified of.
type desk struct {
	*sdk.ClientSession
	way
	m       *matrix
	owner   *resident
	heard   chan string
	listed  []template // see templates
	changes int        // see fence
}

// way is one of the ways into the protocol.
type way struct{ transport, revision string }

func (w way) String() string { return w.transport + " " + w.revision }

// ways are all of them: both current revisions, over the real listener and over stdio.
var ways = []way{{"http", "2025-11-25"}, {"http", "2026-07-28"}, {"stdio", "2025-11-25"}, {"stdio", "2026-07-28"}}

// told says whether the server tells this client of changes.
func (w way) told() bool { return w != way{"http", "2025-11-25"} }

// connect gives somebody an assistant. The attacker's is served without policies when the matrix is.
func (m *matrix) connect(t *testing.T, w way, owner *resident) *desk {
	t.Helper()
	d := &desk{way: w, m: m, owner: owner, heard: make(chan string, 1000)}
	client := sdk.NewClient(&sdk.Implementation{Name: "Desk", Version: "1"}, &sdk.ClientOptions{
		ResourceListChangedHandler: func(context.Context, *sdk.ResourceListChangedRequest) { d.heard <- "list" },
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) {
			d.heard <- "updated " + r.Params.URI
		},
	})
	client.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if p, ok := req.GetParams().(*sdk.SubscriptionsAcknowledgedParams); ok {
				what := fmt.Sprint("resources ", p.Notifications.ResourceSubscriptions)
				if p.Notifications.ResourcesListChanged {
					what = "the list"
				}
				d.heard <- "acknowledged " + what
			}
			return next(ctx, method, req)
		}
	})
	transport := m.overStdio
	if w.transport == "http" {
		transport = overListener
	}
	var err error
	d.ClientSession, err = client.Connect(
		t.Context(),
		transport(t, owner),
		&sdk.ClientSessionOptions{ProtocolVersion: w.revision},
	)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	require.Equal(t, w.revision, d.InitializeResult().ProtocolVersion)
	return d
}

func overListener(t *testing.T, owner *resident) sdk.Transport {
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return &sdk.StreamableClientTransport{
		Endpoint: owner.URL + mcp.Path, HTTPClient: &http.Client{Transport: bearer{owner.Token, base}}, MaxRetries: -1,
	}
}

// overStdio serves what "errand mcp" does, within this process.
func (m *matrix) overStdio(t *testing.T, owner *resident) sdk.Transport {
	ctx := t.Context()
	if m.unpoliced && owner == m.mallory {
		ctx = privacy.DecisionContext(ctx, privacy.Allow)
	}
	in, toServer := io.Pipe()
	out, fromServer := io.Pipe()
	caller := mcp.Caller{UserID: owner.id, Expires: time.Now().Add(time.Hour)}
	served := make(chan error, 1)
	go func() {
		served <- m.b.MCP.ServeStdio(ctx, in, fromServer, caller)
		_ = fromServer.Close()
	}()
	t.Cleanup(func() { require.NoError(t, <-served) }) // the session closes before
	return &sdk.IOTransport{Reader: out, Writer: toServer}
}

// toolbox is the tools as the server lists them to this assistant.
func (d *desk) toolbox(t *testing.T) toolbox {
	t.Helper()
	box := toolbox{use: d.use}
	listed, err := d.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, known := range listed.Tools {
		schema, err := json.Marshal(known.InputSchema)
		require.NoError(t, err)
		box.tools = append(box.tools, toolInfo{known.Name, known.Annotations.ReadOnlyHint, schema})
	}
	return box
}

func (d *desk) use(t *testing.T, name string, args vars) string {
	t.Helper()
	result, err := d.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	answer := said(t, result, err)
	if err == nil && result.IsError {
		return `{"error":` + answer
	}
	return answer
}

func (d *desk) read(t *testing.T, uri string) string {
	t.Helper()
	result, err := d.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
	return said(t, result, err)
}

func (d *desk) prompt(t *testing.T, name string, args map[string]string) string {
	t.Helper()
	result, err := d.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: name, Arguments: args})
	return said(t, result, err)
}

// fleeting is what differs from one answer to the next: the time in a prompt, and requests' ids.
var fleeting = regexp.MustCompile(`It is now [^(]*|"requestId":"[^"]*"`)

// said is all that an answer says, as text; an error begins with {"error":. JSON in strings loses its backslashes.
func said(t *testing.T, result any, err error) string {
	t.Helper()
	head := ""
	if err != nil {
		require.NotErrorIs(t, err, sdk.ErrConnectionClosed)
		head, result = `{"error":`, []any{err.Error(), nil}
		var wire *jsonrpc.Error
		if errors.As(err, &wire) {
			result = wire
		}
	}
	text, err := json.Marshal(result)
	require.NoError(t, err)
	require.NotContains(t, string(text), "RATE_LIMITED")
	return head + fleeting.ReplaceAllString(strings.ReplaceAll(string(text), `\"`, `"`), "")
}

// hears gives all that is heard up to a notification.
func (d *desk) hears(t *testing.T, last string) (all []string) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for {
		select {
		case one := <-d.heard:
			all = append(all, one)
			if strings.HasPrefix(one+" ", last+" ") {
				return all
			}
		case <-deadline:
			require.Failf(t, "never heard", "%s over %s, only %q", last, d.way, all)
		}
	}
}

// subscribe says what came of subscribing to a resource.
func (d *desk) subscribe(t *testing.T, uri string) string {
	t.Helper()
	err := d.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri})
	if err == nil && d.revision == "2026-07-28" {
		heard := d.hears(t, "acknowledged resources")
		return heard[len(heard)-1]
	}
	return said(t, nil, err)
}
