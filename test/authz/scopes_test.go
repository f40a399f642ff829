package authz

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"errand/internal/ids"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// scopeSets returns every set of scopes, the last of which is empty: a token without scopes is unlimited.
func scopeSets() (sets []viewer.Scopes) {
	all := viewer.AllScopes()
	for bits := 1; bits <= 1<<len(all); bits++ {
		var names []string
		for i, scope := range all {
			if bits&(1<<i) != 0 {
				names = append(names, string(scope))
			}
		}
		sets = append(sets, viewer.NewScopes(names))
	}
	return sets
}

// missing returns a scope that the set lacks, or "".
func (n needs) missing(set viewer.Scopes) viewer.Scope {
	for _, scope := range n {
		if !set.Allow(scope) {
			return scope
		}
	}
	return ""
}

// TestScopes_EverySurface_IsDeclared checks that the tables cover the schema: a new root field, object type or type of
// node without declared scopes fails it, and so does an entry for one that is gone.
func TestScopes_EverySurface_IsDeclared(t *testing.T) {
	t.Parallel()
	s := loadSchemaSurface(t)
	var fields, types []string
	for _, r := range s.roots(s.Query, s.Mutation, s.Subscription) {
		fields = append(fields, r.String())
		require.Contains(t, rootScopes, r.String(), "declare the scopes of the root field, and check them in the domain")
		for _, scope := range rootScopes[r.String()] {
			require.Contains(t, r.field.Description, "`"+string(scope)+"`", "%s: the description lacks the scope", r)
		}
	}
	for _, def := range s.Types {
		if def.Kind == ast.Object && !strings.HasPrefix(def.Name, "__") {
			types = append(types, def.Name)
			require.Contains(t, typeScopes, def.Name, "declare the scopes of the type")
		}
	}
	for name := range rootScopes {
		require.Contains(t, fields, name)
	}
	for name := range typeScopes {
		require.Contains(t, types, name)
	}
	require.Len(t, nodeScopes, len(s.GetPossibleTypes(s.Types["Node"])), "declare the scopes of the type of node")
}

// TestScopes_GraphQL_LimitTokens runs every root field with every set of scopes, over HTTP and a socket: without a
// scope the error is FORBIDDEN and nothing changes; with it, no value of another scope's type is in the response.
func TestScopes_GraphQL_LimitTokens(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, false)
	for _, set := range scopeSets() {
		c := env.ClientWithScopes(t, "mallory", string(set))
		socket := c.Dial(t)
		for _, r := range m.roots(m.Query, m.Mutation) {
			for _, args := range m.scopeArguments(t, r) {
				want := m.needsOf(r, args)
				what := fmt.Sprintf("%s%v with %q", r, args, set)
				before := ""
				if want.missing(set) != "" {
					before = m.attacker.dumpRows(t, env)
				}
				document := m.document(r, args, nil, "")
				response := c.Try(t, document, args)
				m.requireValidAttack(t, response.Raw)
				requireScopes(t, what, want, set, response)
				if want.missing(set) == "" {
					requireOnlyVisibleTypes(t, what, set, []byte(response.Raw))
					waitForReplies(t, env)
					continue
				}
				sub := socket.Subscribe(t, document, args)
				payload, err := sub.Next(t.Context())
				requireForbidden(t, what+" over a socket", want, set, payload, err)
				require.Equal(t, before, m.attacker.dumpRows(t, env), what)
			}
		}
		for _, r := range m.roots(m.Subscription) {
			args := m.scopeArguments(t, r)[0]
			want := m.needsOf(r, args)
			if want.missing(set) == "" {
				continue // the streams are covered below
			}
			what := fmt.Sprintf("%s with %q", r, set)
			sub := socket.Subscribe(t, m.document(r, args, nil, ""), args)
			payload, err := sub.Next(t.Context())
			requireForbidden(t, what, want, set, payload, err)
			response := c.Try(t, m.document(r, args, nil, ""), args) // without a stream; the error is the answer
			require.NotContains(t, response.Raw, `"__typename"`, what)
		}
	}
}

// waitForReplies waits until no reply is written, so that rows can be compared.
func waitForReplies(t *testing.T, env *harness.Env) {
	t.Helper()
	require.Eventually(t, func() bool {
		return env.Count(t, "SELECT count(*) FROM runs WHERE state IN ('QUEUED', 'RUNNING')") == 0
	}, testclient.Timeout, harness.PollInterval)
}

// scopeArguments returns arguments for a root field, one set for each type of ID that it takes.
func (m *authzMatrix) scopeArguments(t *testing.T, r rootField) (all []testclient.Vars) {
	t.Helper()
	positions := m.positions(r)
	if !slices.ContainsFunc(r.field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull }) {
		return []testclient.Vars{{}}
	}
	at := max(0, slices.IndexFunc(positions, func(p argumentPosition) bool { return p.typ.NonNull }))
	p, fill := positions[at], m.attacker.argumentFiller(t)
	switch {
	case r.field.Name == "node" || r.field.Name == "nodes":
		for prefix := range nodeScopes {
			require.NotEmpty(t, m.attacker.ids[prefix], "the fixture has no row of %s", prefix)
			all = append(all, m.argumentsWith(p, m.attacker.ids[prefix][0], fill))
		}
		return all
	case r.field.Name == "cancelReply":
		return []testclient.Vars{m.argumentsWith(p, m.attacker.ids[ids.Message][1], fill)}
	case p.typ.Name() == "ID" && p.path[0] == "id" && strings.HasSuffix(r.field.Name, "Conversation"):
		return []testclient.Vars{m.argumentsWith(p, ids.New(ids.Conversation)(), fill)} // keeps the fixture's own
	case p.typ.Name() == "ID":
		return []testclient.Vars{m.argumentsWith(p, fill(r, p.path[len(p.path)-1], p.typ), fill)}
	case p.typ.Name() == "Int":
		return []testclient.Vars{m.argumentsWith(p, m.attacker.numbers[0], fill)}
	default:
		return []testclient.Vars{m.argumentsWith(p, "Hello", fill)}
	}
}

// needsOf returns what a root field needs with these arguments.
func (m *authzMatrix) needsOf(r rootField, args testclient.Vars) needs {
	switch id := args["id"].(type) {
	case string:
		if r.field.Name == "node" {
			return nodeScopes[ids.Prefix(id)]
		}
	}
	if list, ok := args["ids"].([]any); ok && r.field.Name == "nodes" {
		return nodeScopes[ids.Prefix(list[0].(string))]
	}
	return rootScopes[r.String()]
}

// requireScopes checks a response: FORBIDDEN and no data at the root field iff a scope is missing.
func requireScopes(t *testing.T, what string, want needs, set viewer.Scopes, a testclient.Response) {
	t.Helper()
	var body struct {
		Data   map[string]json.RawMessage
		Errors []struct {
			Path       []any
			Extensions struct{ Code, Scope string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &body), what)
	forbidden := slices.IndexFunc(body.Errors, func(e struct {
		Path       []any
		Extensions struct{ Code, Scope string }
	},
	) bool {
		return len(e.Path) == 1 && e.Extensions.Code == "FORBIDDEN"
	})
	if want.missing(set) == "" {
		require.Negative(t, forbidden, "%s: %s", what, a.Raw)
		return
	}
	require.GreaterOrEqual(t, forbidden, 0, "%s: %s", what, a.Raw)
	require.Equal(t, string(want.missing(set)), body.Errors[forbidden].Extensions.Scope, what)
	for name, value := range body.Data {
		require.True(t, name == "__typename" || string(value) == "null", "%s: %s", what, a.Raw)
	}
}

// requireForbidden checks the first result of an operation on a socket.
func requireForbidden(t *testing.T, what string, want needs, set viewer.Scopes, payload json.RawMessage, err error) {
	t.Helper()
	if err == nil {
		requireScopes(t, what, want, set, testclient.Response{Raw: string(payload)})
		return
	}
	var list testclient.Errors
	require.True(t, errors.As(err, &list) && !errors.Is(err, io.EOF), "%s: %v", what, err)
	require.Equal(t, "FORBIDDEN", list[0].Extensions.Code, what)
	require.Equal(t, string(want.missing(set)), list[0].Extensions.Scope, what)
}

// requireOnlyVisibleTypes checks that a response holds no value of a type that the scopes do not show, and no
// arguments or results of tool calls without tasks:read.
func requireOnlyVisibleTypes(t *testing.T, what string, set viewer.Scopes, response []byte) {
	t.Helper()
	seen := map[string]bool{}
	recordFields(t, seen, response)
	for coordinate := range seen {
		name, field, _ := strings.Cut(coordinate, ".")
		scopes, declared := typeScopes[name]
		require.True(t, declared, coordinate)
		if field != "__typename" && len(scopes) > 0 {
			require.True(t, slices.ContainsFunc(scopes, set.Allow), "%s shows %s: %s", what, coordinate, response)
		}
	}
	if !set.Allow(viewer.TasksRead) {
		require.NotRegexp(t, `"(ToolCall_)?arguments":\{"`, string(response), what)
		require.NotRegexp(t, `"(ToolCall_)?result":\{"(task|changed)`, string(response), what)
	}
}

// TestScopes_MCP_LimitTokens calls every tool, resource template and prompt with every set of scopes, over HTTP and
// stdio.
func TestScopes_MCP_LimitTokens(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, false)
	for _, set := range scopeSets() {
		limited := *m.attacker
		limited.scopes = set
		limited.Client = env.ClientWithScopes(t, "mallory", string(set))
		for _, variant := range []mcpVariant{{"http", "2025-11-25"}, {"stdio", "2026-07-28"}} {
			session := m.connectMCP(t, variant, &limited)
			what := fmt.Sprintf("%s with %q: ", variant, set)
			session.requireToolScopes(t, what, set)
			session.requireResourceScopes(t, what, set)
			require.NoError(t, session.Close())
		}
	}
}

func (session *mcpSession) requireToolScopes(t *testing.T, what string, set viewer.Scopes) {
	t.Helper()
	listed, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, listed.Tools, len(toolScopes))
	for _, tool := range listed.Tools {
		want, declared := toolScopes[tool.Name]
		require.True(t, declared, "declare the scopes of the tool %s", tool.Name)
		args := testclient.Vars{}
		required, _ := tool.InputSchema.(map[string]any)["required"].([]any)
		for _, name := range required {
			args[name.(string)] = map[any]any{"number": 999, "title": "x", "time_zone": "UTC"}[name]
		}
		before := session.ownedRows(t)
		_, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool.Name, Arguments: args})
		requireMCPScopes(t, what+tool.Name, want, set, err)
		if err != nil {
			require.Equal(t, before, session.ownedRows(t), what+tool.Name)
		}
	}
}

// ownedRows returns the owner's rows without that of the user, which counts the calls.
func (session *mcpSession) ownedRows(t *testing.T) string {
	t.Helper()
	_, rows, _ := strings.Cut(session.owner.dumpRows(t, session.authz.env), "\n")
	return rows
}

func (session *mcpSession) requireResourceScopes(t *testing.T, what string, set viewer.Scopes) {
	t.Helper()
	templates, err := session.ListResourceTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, templates.ResourceTemplates, 3)
	for _, template := range templates.ResourceTemplates {
		want, declared := templateScopes[template.URITemplate]
		require.True(t, declared, "declare the scopes of %s", template.URITemplate)
		uri := strings.NewReplacer("{?after,label}", "", "{task}", "1", "{?before}", "",
			"{conversation}", session.owner.conversation).Replace(template.URITemplate)
		_, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		requireMCPScopes(t, what+uri, want, set, err)
	}
	prompts, err := session.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	for _, prompt := range prompts.Prompts {
		want, declared := templateScopes[prompt.Name]
		require.True(t, declared, "declare the scopes of %s", prompt.Name)
		_, err := session.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: prompt.Name})
		requireMCPScopes(t, what+prompt.Name, want, set, err)
	}
	resources, err := session.ListResources(t.Context(), nil)
	if !set.Allow(viewer.TasksRead) && !set.Allow(viewer.Chat) {
		requireMCPScopes(t, what+"resources/list", needs{viewer.TasksRead}, set, err)
		return
	}
	require.NoError(t, err, what)
	for _, r := range resources.Resources {
		scope := viewer.TasksRead
		if strings.HasPrefix(r.URI, "errand://conversations/") {
			scope = viewer.Chat
		}
		require.True(t, set.Allow(scope), "%slists %s", what, r.URI)
	}
}

// requireMCPScopes checks the error of an MCP request: FORBIDDEN with the scope iff one is missing.
func requireMCPScopes(t *testing.T, what string, want needs, set viewer.Scopes, err error) {
	t.Helper()
	if want.missing(set) == "" {
		require.NoError(t, err, what)
		return
	}
	require.Error(t, err, what)
	if rpcErr, ok := errors.AsType[*jsonrpc.Error](err); ok {
		require.EqualValues(t, -32013, rpcErr.Code, what)
	}
	require.ErrorContains(t, err, "lacks the scope "+string(want.missing(set)), what)
}
