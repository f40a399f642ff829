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

// TestMCPMatrix_OtherUsersData_IsInaccessible goes through everything that the server lists to
// assistants, in both revisions, over the real listener and over stdio: every tool and argument,
// every resource, template and list, every prompt, subscription and session.
func TestMCPMatrix_OtherUsersData_IsInaccessible(t *testing.T) {
	withAndWithoutRLS(t, func(t *testing.T, b *harness.Env, unpoliced bool) {
		m := newAuthzMatrix(t, b, unpoliced)
		var desks []*assistantSession
		var before []map[string]string
		for _, w := range mcpRoutes {
			d := m.connectAssistant(t, w, m.mallory)
			desks, before = append(desks, d), append(before, d.snapshot(t))
		}
		m.createUser(t, "victim")
		m.checkCompletionIsolated(t)
		rows := m.victim.dumpRows(t, b)
		var faults []string
		for i, d := range desks {
			for what, answer := range d.snapshot(t) {
				require.Empty(t, m.findLeak(answer, nil), what)
				require.Equal(t, before[i][what], answer, "the victim's coming changed %s", what)
			}
			faults = append(faults, m.attackTools(t, d.toolbox(t), true)...)
			faults = append(faults, flattenFindings(d.attackResources(t))...)
			faults = append(faults, flattenFindings(d.attackPrompts(t))...)
			faults = append(faults, flattenFindings(d.attackSubscriptions(t))...)
		}
		faults = append(faults, desks[0].attackSession(t)...)
		for _, d := range desks { // later the attacker has things of the guessed names too
			faults = append(faults, m.attackTools(t, d.toolbox(t), false)...)
		}
		for _, fault := range faults {
			t.Error(fault)
		}
		require.Equal(t, rows, m.victim.dumpRows(t, b), "the victim's rows changed")
		for _, w := range mcpRoutes {
			if w.notified() {
				m.connectAssistant(t, w, m.mallory).checkNotificationsIsolated(t)
			}
		}
	})
}

// checkNotificationsIsolated listens to everything that is the attacker's own, and tries to listen to all that is the
// victim's, while the victim is busy.
func (d *assistantSession) checkNotificationsIsolated(t *testing.T) {
	t.Helper()
	m := d.m
	if d.revision == "2026-07-28" {
		d.waitForNotification(t, "acknowledged the list")
	}
	task := harness.CreateTask(t, m.mallory.Client, testclient.Vars{"title": "Something of my own"})
	d.waitForNotification(t, "list")
	mine := "errand://tasks/" + strconv.Itoa(task.Number)
	for _, uri := range []string{"errand://tasks/open", mine, "errand://conversations/" + m.mallory.conversation} {
		require.False(t, isError(d.subscribe(t, uri)), uri)
	}
	for uri, exists := range m.victim.resources {
		if exists && !strings.HasPrefix(uri, "errand://tasks/open") {
			d.subscribe(t, uri)
		}
	}
	d.drainNotifications(t, task.ID, mine)
	testclient.Run[any](
		t,
		m.victim.Client,
		`mutation { createConversation(input: {title: "Another"}) { conversation { id } } }`,
		nil,
	)
	harness.ChangeTask(t, m.victim.Client, "reopenTask", m.victim.task)
	harness.ChangeTask(t, m.victim.Client, "completeTask", m.victim.task)
	m.victim.sendMessage(t, "", "Add a task to hide the "+secretWord)
	made := harness.CreateTask(t, m.victim.Client, testclient.Vars{"title": secretWord})
	harness.ChangeTask(t, m.victim.Client, "completeTask", made.ID)
	heard := d.drainNotifications(t, task.ID, mine)
	slices.Sort(heard)
	require.Equal(t, []string{"updated " + mine, "updated errand://tasks/open"}, heard, "%s heard of the victim", d.mcpRoute)
}

// drainNotifications changes a task of the attacker's own, which changes no list, and gives all that is heard until it is heard of.
func (d *assistantSession) drainNotifications(t *testing.T, id, uri string) (all []string) {
	t.Helper()
	d.fenceChanges++
	testclient.Run[any](
		t,
		d.m.mallory.Client,
		`mutation ($id: ID!, $d: String!) { updateTask(input: {id: $id, description: $d}) { task { id } } }`,
		testclient.Vars{"id": id, "d": strconv.Itoa(d.fenceChanges)},
	)
	for _, wanted := range []string{"updated " + uri, "updated errand://tasks/open"} {
		if !slices.Contains(all, wanted) {
			all = append(all, d.waitForNotification(t, wanted)...)
		}
	}
	return all
}

// sendRaw sends a message as the attacker, outside of any client, with a header.
func (d *assistantSession) sendRaw(t *testing.T, method, header, value string) string {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_tasks","arguments":{}}}`
	r, err := http.NewRequestWithContext(t.Context(), method, d.m.mallory.URL+mcp.Path, strings.NewReader(body))
	require.NoError(t, err)
	for name, v := range map[string]string{
		"Authorization": "Bearer " + d.m.mallory.Token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
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

// malformedHeaders are attacks that no missing wall shows, each with the reason why that is no hole.
var malformedHeaders = map[string]string{
	"errand://conversations/{conversation}{?before} before": "a place in the conversation that the other variable names",
	"errand://tasks/open{?after,label} after":               "how far into one's own list; the list itself is looked at",
}

// TestMCPMatrix_WithoutPolicies_FindsLeaks shows that these attacks have teeth: with the policies off, and
// no other wall behind them, every argument that names something gives the victim away.
func TestMCPMatrix_WithoutPolicies_FindsLeaks(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, b, true)
	m.createUser(t, "first")
	m.checkCompletionIsolated(t)
	for _, w := range mcpRoutes {
		d := m.connectAssistant(t, w, m.mallory)
		look := d.snapshot(t)
		for _, what := range []string{"resources 0", "list_tasks", "errand://tasks/open", "daily_review"} {
			require.NotEmpty(t, m.findLeak(look[what], nil), "%s: %s", w, what)
		}
		attacked := d.attackResources(t)
		maps.Copy(attacked, d.attackPrompts(t))
		if w.notified() {
			maps.Copy(attacked, d.attackSubscriptions(t))
		}
		for what, faults := range attacked {
			if malformedHeaders[what] == "" {
				require.NotEmpty(t, faults, "%s: %s would keep a secret without any wall: the attack is blunt", w, what)
			}
		}
		require.NotEmpty(t, m.attackTools(t, d.toolbox(t), true), w)
	}
	box := m.connectAssistant(t, mcpRoutes[1], m.mallory).toolbox(t)
	for _, one := range box.tools {
		if !one.readOnly && strings.Contains(string(one.schema), `"number"`) {
			m.createUser(t, "victim-of-"+one.name) // some leave little of one
			faults := m.attackTools(t, toolbox{[]toolInfo{one}, box.use}, false)
			require.Contains(t, strings.Join(faults, "\n"), one.name+"(number", "the attack is blunt")
		}
	}
}
