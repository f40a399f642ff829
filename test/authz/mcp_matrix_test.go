package authz

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"errand/internal/mcp"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestMCPMatrix_OtherUsersData_IsInaccessible attacks everything that the MCP server lists, in both protocol
// revisions, over HTTP and stdio: every tool and argument, resource, template and list, prompt, subscription and
// session.
func TestMCPMatrix_OtherUsersData_IsInaccessible(t *testing.T) {
	eachIsolationLayer(t, func(t *testing.T, env *harness.Env, withoutPolicies bool) {
		m := newAuthzMatrix(t, env, withoutPolicies)
		var sessions []*mcpSession
		var before []map[string]string
		for _, variant := range mcpVariants {
			session := m.connectMCP(t, variant, m.attacker)
			sessions, before = append(sessions, session), append(before, session.snapshot(t))
		}
		m.createVictim(t, "victim")
		m.collectVictimMCPReferences(t)
		rows := m.victim.dumpRows(t, env)
		var findings []string
		for i, session := range sessions {
			for what, answer := range session.snapshot(t) {
				require.Empty(t, m.findLeak(answer, nil), what)
				require.Equal(t, before[i][what], answer, "creating the victim changed %s", what)
			}
			findings = append(findings, m.attackTools(t, session.toolbox(t), true)...)
			findings = append(findings, sortedFindings(session.attackResourceTemplates(t))...)
			findings = append(findings, sortedFindings(session.attackPrompts(t))...)
			findings = append(findings, sortedFindings(session.attackSubscriptions(t))...)
		}
		findings = append(findings, sessions[0].attackSession(t)...)
		for _, session := range sessions { // last, because they create objects of the attacker with the guessed names
			findings = append(findings, m.attackTools(t, session.toolbox(t), false)...)
		}
		for _, fault := range findings {
			t.Error(fault)
		}
		require.Equal(t, rows, m.victim.dumpRows(t, env), "the victim's rows changed")
		for _, variant := range mcpVariants {
			if variant.supportsNotifications() {
				m.connectMCP(t, variant, m.attacker).checkNotificationsIsolated(t)
			}
		}
	})
}

// checkNotificationsIsolated subscribes to the attacker's resources and tries to subscribe to the victim's, while the
// victim changes data.
func (session *mcpSession) checkNotificationsIsolated(t *testing.T) {
	t.Helper()
	m := session.authz
	if session.revision == "2026-07-28" {
		session.waitForNotification(t, "acknowledged the list")
	}
	task := harness.CreateTask(t, m.attacker.Client, testclient.Vars{"title": "Something of my own"})
	session.waitForNotification(t, "list")
	mine := "errand://tasks/" + strconv.Itoa(task.Number)
	for _, uri := range []string{"errand://tasks/open", mine, "errand://conversations/" + m.attacker.conversation} {
		require.False(t, isError(session.subscribe(t, uri)), uri)
	}
	for uri, exists := range m.victim.mcpResources {
		if exists && !strings.HasPrefix(uri, "errand://tasks/open") {
			session.subscribe(t, uri)
		}
	}
	session.notificationsUpToMarker(t, task.ID, mine)
	testclient.Run[any](
		t,
		m.victim.Client,
		`mutation { createConversation(input: {title: "Another"}) { conversation { id } } }`,
		nil,
	)
	harness.ChangeTask(t, m.victim.Client, "reopenTask", m.victim.task)
	harness.ChangeTask(t, m.victim.Client, "completeTask", m.victim.task)
	m.victim.sendMessage(t, "", "Add a task to hide the "+secretMarker)
	made := harness.CreateTask(t, m.victim.Client, testclient.Vars{"title": secretMarker})
	harness.ChangeTask(t, m.victim.Client, "completeTask", made.ID)
	received := session.notificationsUpToMarker(t, task.ID, mine)
	slices.Sort(received)
	require.Equal(t, []string{"updated " + mine, "updated errand://tasks/open"}, received,
		"%s received notifications of the victim", session.mcpVariant)
}

// notificationsUpToMarker updates a task of the attacker, which changes no list, and returns all notifications up to
// those of the update.
func (session *mcpSession) notificationsUpToMarker(t *testing.T, id, uri string) (all []string) {
	t.Helper()
	session.markerCount++
	testclient.Run[any](
		t,
		session.authz.attacker.Client,
		`mutation ($id: ID!, $d: String!) { updateTask(input: {id: $id, description: $d}) { task { id } } }`,
		testclient.Vars{"id": id, "d": strconv.Itoa(session.markerCount)},
	)
	for _, wanted := range []string{"updated " + uri, "updated errand://tasks/open"} {
		if !slices.Contains(all, wanted) {
			all = append(all, session.waitForNotification(t, wanted)...)
		}
	}
	return all
}

// sendRaw sends a request as the attacker without an MCP client, with an extra header, and returns status and body.
func (session *mcpSession) sendRaw(t *testing.T, method, header, value string) string {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_tasks","arguments":{}}}`
	r, err := http.NewRequestWithContext(t.Context(), method, session.authz.attacker.URL+mcp.Path,
		strings.NewReader(body))
	require.NoError(t, err)
	for name, v := range map[string]string{
		"Authorization": "Bearer " + session.authz.attacker.Token, "Content-Type": "application/json",
		"Accept":               "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2025-11-25", header: value,
	} {
		r.Header.Set(name, v)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: testclient.Timeout}).Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return strconv.Itoa(answer.StatusCode) + " " + strings.ReplaceAll(string(text), `\"`, `"`)
}

// undetectableAttacks are attacks that find no leak even without access control, each with the reason why that is not
// a gap.
var undetectableAttacks = map[string]string{
	"errand://conversations/{conversation}{?before} before": "a position in the conversation that the other " +
		"variable selects",
	"errand://tasks/open{?after,label} after": "an offset in the own list; the list itself is covered",
	"daily_review label": "looked up in the search index, whose keys begin with the user; the prompt without it " +
		"is covered",
	"errand://tasks/open{?after,label} label": "looked up in the search index, whose keys begin with the user; the " +
		"list itself is covered",
}

// TestMCPMatrix_WithoutPolicies_FindsLeaks checks that the MCP attacks are effective: without entity policies and
// without row-level security, an attack on every argument that refers to data leaks the victim's data.
func TestMCPMatrix_WithoutPolicies_FindsLeaks(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, true)
	m.createVictim(t, "first")
	m.collectVictimMCPReferences(t)
	for _, variant := range mcpVariants {
		session := m.connectMCP(t, variant, m.attacker)
		baseline := session.snapshot(t)
		for _, what := range []string{"resources 0", "list_tasks", "errand://tasks/open", "daily_review"} {
			require.NotEmpty(t, m.findLeak(baseline[what], nil), "%s: %s", variant, what)
		}
		attacked := session.attackResourceTemplates(t)
		maps.Copy(attacked, session.attackPrompts(t))
		if variant.supportsNotifications() {
			maps.Copy(attacked, session.attackSubscriptions(t))
		}
		for what, findings := range attacked {
			if undetectableAttacks[what] == "" {
				require.NotEmpty(t, findings,
					"%s: the attack on %s finds no leak without any access control, so it proves nothing", variant, what)
			}
		}
		require.NotEmpty(t, m.attackTools(t, session.toolbox(t), true), variant)
	}
	box := m.connectMCP(t, mcpVariants[1], m.attacker).toolbox(t)
	for _, one := range box.tools {
		if !one.readOnly && strings.Contains(string(one.schema), `"number"`) {
			m.createVictim(t, "victim-of-"+one.name) // a new one for each tool, because tools change the victim's data
			findings := m.attackTools(t, toolbox{[]toolInfo{one}, box.call}, false)
			require.Contains(t, strings.Join(findings, "\n"), one.name+"(number",
				"the attack finds no leak without any access control, so it proves nothing")
		}
	}
}
