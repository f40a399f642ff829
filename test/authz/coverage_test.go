package authz

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errand/internal/page"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// unreachableFields are the schema fields for which the matrix gets no value, each with the reason why that is not a
// gap.
var unreachableFields = map[string]string{
	"Mutation.deleteViewer": "would delete the account that runs the test; " +
		"TestDeleteViewer_DuringRequests_NoRowRemains covers it",
	"TaskOperationError.retryAfterMs": "the server of the matrix has no rate limit; TestApplyTasks tests it",
	"AuthMethod.issuer":               "the server of the matrix has no issuer; TestServerInfo tests it",
	"AuthMethod.betterAuth":           "the server of the matrix has no Better Auth server; test/e2e/better-auth tests it",
	"AuthMethod.path":                 "for the development sign-in only; TestServerInfo tests it",
	"ServerLimits.mutationsPerMinute": "the server of the matrix has no such limit; TestServerInfo tests it",
	"Message.unverifiedReason":        "deprecated and always null",
	"MessageError.retryAt":            "requires that the daily token budget runs out in a turn; internal/agent tests it",
}

// recordFields adds to into the coordinates of the fields that are not null in a response.
func recordFields(t testing.TB, into map[string]bool, answer []byte) {
	t.Helper()
	var data any
	require.NoError(t, json.Unmarshal(answer, &data))
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for member, value := range v {
				if name, ok := v["__typename"].(string); ok && value != nil {
					into[name+"."+strings.TrimPrefix(member, name+"_")] = true
				}
				walk(value)
			}
		}
	}
	walk(data)
}

// TestMatrix_EverySchemaField_IsCovered checks that the matrix is complete: when the owner runs its operations, every
// field of the schema has a value. A new field that no operation reaches fails this test.
func TestMatrix_EverySchemaField_IsCovered(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, false)
	seen := m.exerciseSchema(t)
	for _, coordinate := range m.fieldCoordinates() {
		if unreachableFields[coordinate] == "" {
			require.True(
				t,
				seen[coordinate],
				"the matrix gets no value for %s: extend the user fixture, or list the field with a reason",
				coordinate,
			)
		} else {
			require.False(t, seen[coordinate], "%s has a value: remove it from unreachableFields", coordinate)
		}
	}
	for coordinate := range unreachableFields {
		require.Contains(t, m.fieldCoordinates(), coordinate, "unreachableFields names a field that does not exist")
	}
}

// exerciseSchema runs every operation as the owner, and returns the coordinates of the fields that had a value.
func (m *authzMatrix) exerciseSchema(t *testing.T) (seen map[string]bool) {
	t.Helper()
	seen = map[string]bool{}
	for _, answer := range m.snapshot(t) {
		recordFields(t, seen, []byte(answer))
	}
	exerciseStreams(t, m, seen)
	for _, last := range []bool{false, true} { // deletions run last
		for _, r := range m.roots(m.Mutation) {
			if (r.field.Type.Name() == "DeletePayload") == last {
				exerciseMutation(t, m, r, seen)
			}
		}
	}
	return seen
}

// exerciseStreams runs every subscription while a turn is streamed, until each kind of event has been received.
func exerciseStreams(t *testing.T, m *authzMatrix, seen map[string]bool) {
	t.Helper()
	socket := m.attacker.Dial(t)
	for _, r := range m.roots(m.Subscription) {
		args := testclient.Vars{}
		for _, p := range m.positions(r) {
			if p.typ.NonNull {
				args = m.argumentsWith(p, m.attacker.conversation, m.attacker.argumentFiller(t))
			}
		}
		open := func() bool { return m.env.Hub.Subscribers() > 0 }
		require.Eventually(t, func() bool { return !open() }, testclient.Timeout, harness.PollInterval)
		sub := socket.Subscribe(t, m.document(r, args, nil, ""), args)
		require.Eventually(t, open, testclient.Timeout, harness.PollInterval)
		if r.field.Name == "messageStream" { // once it has read its rows, what follows arrives in parts
			payload, err := sub.Next(t.Context())
			require.NoError(t, err, r)
			recordFields(t, seen, payload)
		}
		m.attacker.sendMessage(t, "", "Add a task to look out of the window")
		m.attacker.createAndDeleteConversation(t)
		for _, wanted := range m.eventCursorFields(r) {
			if wanted == "ConversationsReset.cursor" { // sent for cursors that are not known
				sub.Stop()
				args["after"] = page.PositionCursor("conversationStream", 1<<30).Encode()
				sub = socket.Subscribe(t, m.document(r, args, nil, ""), args)
			}
			for !seen[wanted] {
				payload, err := sub.Next(t.Context())
				require.NoError(t, err, r)
				seen[r.String()] = true
				recordFields(t, seen, payload)
			}
		}
		sub.Stop()
	}
}

// eventCursorFields returns the cursor field of each event type of a subscription; a stream that delivered them all
// is covered.
func (m *authzMatrix) eventCursorFields(r rootField) (out []string) {
	def := m.Types[r.field.Type.Name()]
	for _, possible := range m.GetPossibleTypes(def) {
		out = append(out, possible.Name+".cursor")
	}
	return out
}

// exerciseMutation runs a mutation with each ID of the owner until one succeeds.
func exerciseMutation(t *testing.T, m *authzMatrix, r rootField, seen map[string]bool) {
	t.Helper()
	if unreachableFields[r.String()] != "" {
		return
	}
	if r.field.Name == "retryReply" { // only the last message of a conversation can be retried
		failReply(t, m.env, m.attacker, "Hello again")
		m.attacker.collectReferences(t, m.env)
	}
	if r.field.Name == "approveToolCalls" || r.field.Name == "rejectToolCalls" { // each call is decided once
		proposeDeletion(t, m.attacker, "Hello once more")
		m.attacker.collectReferences(t, m.env)
	}
	positions := m.positions(r)
	at := slices.IndexFunc(positions, func(p argumentPosition) bool { return p.typ.Name() == "ID" && p.typ.NonNull })
	values := m.attacker.allIDs()
	if at < 0 {
		at = slices.IndexFunc(positions, func(p argumentPosition) bool { return p.typ.Name() == "String" })
		values = []string{"Something"}
	}
	if r.field.Name == "undoChange" { // a change of which one field has been edited since
		values = []string{m.attacker.halfEditedChange(t)}
	}
	for _, value := range values {
		a := m.runQuery(t, r, m.argumentsWith(positions[at], value, m.attacker.argumentFiller(t)), nil, "")
		if len(a.Errors) == 0 {
			recordFields(t, seen, []byte(a.Raw))
			if r.field.Name != "applyTasks" { // it returns the errors of operations as data
				return
			}
		}
	}
	if r.field.Name == "applyTasks" {
		title := slices.IndexFunc(positions, func(p argumentPosition) bool { return p.path[len(p.path)-1] == "title" })
		for _, value := range []string{"", "Something"} {
			a := m.runQuery(t, r, m.argumentsWith(positions[title], value, m.attacker.argumentFiller(t)), nil, "")
			recordFields(t, seen, []byte(a.Raw))
		}
		return
	}
	require.Failf(t, "no valid argument", "%s accepts no ID of the owner", r)
}

// halfEditedChange returns the ID of a change of two fields of a task, of which one has been changed again.
func (user *userFixture) halfEditedChange(t *testing.T) string {
	t.Helper()
	made := harness.CreateTask(t, user.Client, testclient.Vars{"title": "Half edited"})
	const doc = `mutation ($in: UpdateTaskInput!) {
		updateTask(input: $in) { task { changes(last: 1) { nodes { id } } } }
	}`
	type updated struct {
		UpdateTask struct {
			Task struct {
				Changes struct{ Nodes []struct{ ID string } }
			}
		}
	}
	both := testclient.Vars{"in": testclient.Vars{"id": made.ID, "title": "Second title", "priority": "HIGH"}}
	change := testclient.Run[updated](t, user.Client, doc, both).UpdateTask.Task.Changes.Nodes[0].ID
	one := testclient.Vars{"in": testclient.Vars{"id": made.ID, "title": "Third title"}}
	testclient.Run[updated](t, user.Client, doc, one)
	return change
}

// TestMatrix_WithoutPolicies_FindsLeaks checks that the attacks are effective: without entity policies and without
// row-level security, an attack on every argument that takes an ID or a number leaks the victim's data.
func TestMatrix_WithoutPolicies_FindsLeaks(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, true)
	m.createVictim(t, "first")
	for _, list := range []string{"Query.tasks map[]", "Query.conversations map[]"} {
		require.NotEmpty(t, m.findLeak(m.snapshot(t)[list], nil), list)
	}
	require.NotEmpty(t, m.attackTools(t, m.agentToolbox(), true))
	require.NotEmpty(t, m.attackTools(t, m.agentToolbox(), false))
	for _, r := range m.roots(m.Query, m.Subscription, m.Mutation) {
		for _, p := range m.positions(r) {
			if p.typ.Name() == "ID" || p.path[len(p.path)-1] == "number" {
				m.createVictim(t, "victim-of-"+regexp.MustCompile(`\W`).ReplaceAllString(p.String(), "-"))
				require.NotEmpty(t, m.attackPosition(t, p),
					"the attack on %s finds no leak without any access control, so it proves nothing", p)
			}
		}
	}
}
