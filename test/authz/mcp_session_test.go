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
	"errand/internal/viewer"
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// mcpSession is an MCP client session of a user, with the notifications it received.
type mcpSession struct {
	*sdk.ClientSession
	mcpVariant
	authz         *authzMatrix
	owner         *userFixture
	notifications chan string
	templates     []resourceTemplate // cache of resourceTemplates
	markerCount   int                // updates made by notificationsUpToMarker
}

// mcpVariant is a transport and protocol revision.
type mcpVariant struct{ transport, revision string }

func (variant mcpVariant) String() string { return variant.transport + " " + variant.revision }

// mcpVariants are both supported revisions, over HTTP and stdio.
var mcpVariants = []mcpVariant{{"http", "2025-11-25"}, {"http", "2026-07-28"}, {"stdio", "2025-11-25"}, {
	"stdio",
	"2026-07-28",
}}

// supportsNotifications reports whether the server sends notifications to this client.
func (variant mcpVariant) supportsNotifications() bool {
	return variant != mcpVariant{"http", "2025-11-25"}
}

// connectMCP opens a session for a user that is closed when the test ends. The attacker's session is served without
// entity policies when the matrix runs without them.
func (m *authzMatrix) connectMCP(t *testing.T, variant mcpVariant, owner *userFixture) *mcpSession {
	t.Helper()
	session := &mcpSession{mcpVariant: variant, authz: m, owner: owner, notifications: make(chan string, 1000)}
	client := sdk.NewClient(&sdk.Implementation{Name: "authz", Version: "1"}, &sdk.ClientOptions{
		ResourceListChangedHandler: func(context.Context,
			*sdk.ResourceListChangedRequest,
		) {
			session.notifications <- "list"
		},
		ResourceUpdatedHandler: func(_ context.Context, r *sdk.ResourceUpdatedNotificationRequest) {
			session.notifications <- "updated " + r.Params.URI
		},
	})
	client.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			if p, ok := req.GetParams().(*sdk.SubscriptionsAcknowledgedParams); ok {
				what := fmt.Sprint("resources ", p.Notifications.ResourceSubscriptions)
				if p.Notifications.ResourcesListChanged {
					what = "the list"
				}
				session.notifications <- "acknowledged " + what
			}
			return next(ctx, method, req)
		}
	})
	transport := m.stdioTransport
	if variant.transport == "http" {
		transport = listenerTransport
	}
	var err error
	session.ClientSession, err = client.Connect(
		t.Context(),
		transport(t, owner),
		&sdk.ClientSessionOptions{ProtocolVersion: variant.revision},
	)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	require.Equal(t, variant.revision, session.InitializeResult().ProtocolVersion)
	return session
}

func listenerTransport(t *testing.T, owner *userFixture) sdk.Transport {
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return &sdk.StreamableClientTransport{
		Endpoint: owner.URL + mcp.Path, HTTPClient: &http.Client{Transport: harness.BearerTransport{
			Token: owner.Token,
			Base:  base,
		}}, MaxRetries: -1,
	}
}

// stdioTransport serves MCP as "errand mcp" does, in the test's process.
func (m *authzMatrix) stdioTransport(t *testing.T, owner *userFixture) sdk.Transport {
	ctx := t.Context()
	if m.withoutRLS && owner == m.attacker {
		ctx = privacy.DecisionContext(ctx, privacy.Allow)
	}
	in, toServer := io.Pipe()
	out, fromServer := io.Pipe()
	ctx = viewer.NewContext(ctx, viewer.Viewer{
		UserID:  owner.id,
		Actor:   viewer.ActorMCP,
		Scopes:  owner.scopes,
		Expires: time.Now().Add(time.Hour),
	})
	served := make(chan error, 1)
	go func() {
		served <- m.env.MCP.ServeStdio(ctx, in, fromServer)
		_ = fromServer.Close()
	}()
	t.Cleanup(func() { require.NoError(t, <-served) }) // the session is closed first
	return &sdk.IOTransport{Reader: out, Writer: toServer}
}

// toolbox returns the tools that the server lists in this session.
func (session *mcpSession) toolbox(t *testing.T) toolbox {
	t.Helper()
	box := toolbox{call: session.callTool}
	listed, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	for _, known := range listed.Tools {
		schema, err := json.Marshal(known.InputSchema)
		require.NoError(t, err)
		box.tools = append(box.tools, toolInfo{known.Name, known.Annotations.ReadOnlyHint, schema})
	}
	return box
}

func (session *mcpSession) callTool(t *testing.T, name string, args testclient.Vars) string {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	answer := resultText(t, result, err)
	if err == nil && result.IsError {
		return `{"error":` + answer
	}
	return answer
}

func (session *mcpSession) readResource(t *testing.T, uri string) string {
	t.Helper()
	result, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
	return resultText(t, result, err)
}

func (session *mcpSession) getPrompt(t *testing.T, name string, args map[string]string) string {
	t.Helper()
	result, err := session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: name, Arguments: args})
	return resultText(t, result, err)
}

// volatileText matches what differs between equal requests: the time in a prompt, and request IDs.
var volatileText = regexp.MustCompile(`It is now [^(]*|"requestId":"[^"]*"`)

// resultText returns a result as JSON with volatileText removed and escaped quotes unescaped. An error starts with
// {"error":.
func resultText(t *testing.T, result any, err error) string {
	t.Helper()
	prefix := ""
	if err != nil {
		require.NotErrorIs(t, err, sdk.ErrConnectionClosed)
		prefix, result = `{"error":`, []any{err.Error(), nil}
		var rpcError *jsonrpc.Error
		if errors.As(err, &rpcError) {
			result = rpcError
		}
	}
	text, err := json.Marshal(result)
	require.NoError(t, err)
	require.NotContains(t, string(text), "RATE_LIMITED")
	return prefix + volatileText.ReplaceAllString(strings.ReplaceAll(string(text), `\"`, `"`), "")
}

// waitForNotification waits for a notification and returns all that were received up to it.
func (session *mcpSession) waitForNotification(t *testing.T, last string) (all []string) {
	t.Helper()
	deadline := time.After(testclient.Timeout)
	for {
		select {
		case one := <-session.notifications:
			all = append(all, one)
			if strings.HasPrefix(one+" ", last+" ") {
				return all
			}
		case <-deadline:
			require.Failf(t, "notification not received", "%s over %s; received %q", last, session.mcpVariant, all)
		}
	}
}

// subscribe subscribes to a resource and returns the acknowledgement or the error as text.
func (session *mcpSession) subscribe(t *testing.T, uri string) string {
	t.Helper()
	err := session.Subscribe(t.Context(), &sdk.SubscribeParams{URI: uri})
	if err == nil && session.revision == "2026-07-28" {
		received := session.waitForNotification(t, "acknowledged resources")
		return received[len(received)-1]
	}
	return resultText(t, nil, err)
}
