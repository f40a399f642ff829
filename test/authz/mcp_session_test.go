package authz

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
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// assistantSession is somebody's assistant, with what it was notified of.
type assistantSession struct {
	*sdk.ClientSession
	mcpRoute
	m             *authzMatrix
	owner         *userFixture
	notifications chan string
	listed        []resourceTemplate // see templates
	fenceChanges  int                // see fence
}

// mcpRoute is one of the ways into the protocol.
type mcpRoute struct{ transport, revision string }

func (w mcpRoute) String() string { return w.transport + " " + w.revision }

// mcpRoutes are all of them: both current revisions, over the real listener and over stdio.
var mcpRoutes = []mcpRoute{{"http", "2025-11-25"}, {"http", "2026-07-28"}, {"stdio", "2025-11-25"}, {"stdio", "2026-07-28"}}

// notified says whether the server tells this client of changes.
func (w mcpRoute) notified() bool { return w != mcpRoute{"http", "2025-11-25"} }

// connectAssistant gives somebody an assistant. The attacker's is served without policies when the matrix is.
func (m *authzMatrix) connectAssistant(t *testing.T, w mcpRoute, owner *userFixture) *assistantSession {
	t.Helper()
	d := &assistantSession{mcpRoute: w, m: m, owner: owner, notifications: make(chan string, 1000)}
	client := sdk.NewClient(&sdk.Implementation{Name: "Desk", Version: "1"}, &sdk.ClientOptions{
		ResourceListChangedHandler: func(context.Context, *sdk.ResourceListChangedRequest) { d.notifications <- "list" },
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) {
			d.notifications <- "updated " + r.Params.URI
		},
	})
	client.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if p, ok := req.GetParams().(*sdk.SubscriptionsAcknowledgedParams); ok {
				what := fmt.Sprint("resources ", p.Notifications.ResourceSubscriptions)
				if p.Notifications.ResourcesListChanged {
					what = "the list"
				}
				d.notifications <- "acknowledged " + what
			}
			return next(ctx, method, req)
		}
	})
	transport := m.stdioTransport
	if w.transport == "http" {
		transport = listenerTransport
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

func listenerTransport(t *testing.T, owner *userFixture) sdk.Transport {
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return &sdk.StreamableClientTransport{
		Endpoint: owner.URL + mcp.Path, HTTPClient: &http.Client{Transport: harness.BearerTransport{Token: owner.Token, Base: base}}, MaxRetries: -1,
	}
}

// stdioTransport serves what "errand mcp" does, within this process.
func (m *authzMatrix) stdioTransport(t *testing.T, owner *userFixture) sdk.Transport {
	ctx := t.Context()
	if m.withoutRLS && owner == m.mallory {
		ctx = privacy.DecisionContext(ctx, privacy.Allow)
	}
	in, toServer := io.Pipe()
	out, fromServer := io.Pipe()
	caller := mcp.Caller{UserID: owner.id, Expires: time.Now().Add(time.Hour)}
	served := make(chan error, 1)
	go func() {
		served <- m.env.MCP.ServeStdio(ctx, in, fromServer, caller)
		_ = fromServer.Close()
	}()
	t.Cleanup(func() { require.NoError(t, <-served) }) // the session closes before
	return &sdk.IOTransport{Reader: out, Writer: toServer}
}

// toolbox is the tools as the server lists them to this assistant.
func (d *assistantSession) toolbox(t *testing.T) toolbox {
	t.Helper()
	box := toolbox{use: d.callTool}
	listed, err := d.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, known := range listed.Tools {
		schema, err := json.Marshal(known.InputSchema)
		require.NoError(t, err)
		box.tools = append(box.tools, toolInfo{known.Name, known.Annotations.ReadOnlyHint, schema})
	}
	return box
}

func (d *assistantSession) callTool(t *testing.T, name string, args testclient.Vars) string {
	t.Helper()
	result, err := d.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	answer := resultText(t, result, err)
	if err == nil && result.IsError {
		return `{"error":` + answer
	}
	return answer
}

func (d *assistantSession) readResource(t *testing.T, uri string) string {
	t.Helper()
	result, err := d.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
	return resultText(t, result, err)
}

func (d *assistantSession) getPrompt(t *testing.T, name string, args map[string]string) string {
	t.Helper()
	result, err := d.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: name, Arguments: args})
	return resultText(t, result, err)
}

// volatileText is what differs from one answer to the next: the time in a prompt, and requests' ids.
var volatileText = regexp.MustCompile(`It is now [^(]*|"requestId":"[^"]*"`)

// resultText is all that an answer says, as text; an error begins with {"error":. JSON in strings loses its backslashes.
func resultText(t *testing.T, result any, err error) string {
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
	return head + volatileText.ReplaceAllString(strings.ReplaceAll(string(text), `\"`, `"`), "")
}

// waitForNotification gives all that is heard up to a notification.
func (d *assistantSession) waitForNotification(t *testing.T, last string) (all []string) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for {
		select {
		case one := <-d.notifications:
			all = append(all, one)
			if strings.HasPrefix(one+" ", last+" ") {
				return all
			}
		case <-deadline:
			require.Failf(t, "never heard", "%s over %s, only %q", last, d.mcpRoute, all)
		}
	}
}

// subscribe says what came of subscribing to a resource.
func (d *assistantSession) subscribe(t *testing.T, uri string) string {
	t.Helper()
	err := d.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri})
	if err == nil && d.revision == "2026-07-28" {
		heard := d.waitForNotification(t, "acknowledged resources")
		return heard[len(heard)-1]
	}
	return resultText(t, nil, err)
}
