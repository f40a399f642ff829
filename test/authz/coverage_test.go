package authz

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// unreachableFields are fields in which the matrix finds nothing, each with the reason why that is no hole.
var unreachableFields = map[string]string{
	"Mutation.deleteViewer":    "would end the person in whose place the test looks; TestADeletedAccountLeavesNothing runs it",
	"Message.unverifiedReason": "takes a model that lies; internal/agent tests it",
	"MessageError.retryAt":     "takes a day's tokens used up in mid-turn; internal/agent tests it",
}

// recordFields notes which fields hold something in an answer.
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

// TestMatrix_EverySchemaField_IsCovered is what makes the matrix complete: run by the owner, its
// operations find something in every field of the schema. A new field that they do not reach fails here.
func TestMatrix_EverySchemaField_IsCovered(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, b, false)
	seen := map[string]bool{}
	for _, answer := range m.snapshot(t) {
		recordFields(t, seen, []byte(answer))
	}
	exerciseStreams(t, m, seen)
	for _, last := range []bool{false, true} { // what takes things away comes last
		for _, r := range m.roots(m.Mutation) {
			if (r.field.Type.Name() == "DeletePayload") == last {
				exerciseMutation(t, m, r, seen)
			}
		}
	}
	for _, coordinate := range m.fieldCoordinates() {
		if unreachableFields[coordinate] == "" {
			require.True(
				t,
				seen[coordinate],
				"the matrix does not reach %s: give the person of the matrix something there, or list it with a reason",
				coordinate,
			)
		} else {
			require.False(t, seen[coordinate], "%s is reached by now: strike it from the list", coordinate)
		}
	}
	for coordinate := range unreachableFields {
		require.Contains(t, m.fieldCoordinates(), coordinate, "the list names a field that is no more")
	}
}

// exerciseStreams listens to everything while a turn is written.
func exerciseStreams(t *testing.T, m *authzMatrix, seen map[string]bool) {
	t.Helper()
	socket := m.mallory.Dial(t)
	for _, r := range m.roots(m.Subscription) {
		args := testclient.Vars{}
		for _, p := range m.positions(r) {
			if p.typ.NonNull {
				args = m.argumentsWith(p, m.mallory.conversation, m.mallory.argumentFiller(t))
			}
		}
		sub := socket.Subscribe(t, m.document(r, args, nil, ""), args)
		require.Eventually(t, func() bool { return m.env.Hub.Subscribers() > 0 }, testclient.Timeout, harness.PollInterval)
		m.mallory.sendMessage(t, "", "Add a task to look out of the window")
		for _, wanted := range m.argumentPaths(r) {
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

// argumentPaths are what a stream must come to: each of its kinds of events.
func (m *authzMatrix) argumentPaths(r rootField) (out []string) {
	def := m.Types[r.field.Type.Name()]
	for _, possible := range m.GetPossibleTypes(def) {
		out = append(out, possible.Name+".cursor")
	}
	return out
}

// exerciseMutation tries a mutation on each of the person's own things until one fits.
func exerciseMutation(t *testing.T, m *authzMatrix, r rootField, seen map[string]bool) {
	t.Helper()
	if unreachableFields[r.String()] != "" {
		return
	}
	positions := m.positions(r)
	at := slices.IndexFunc(positions, func(p argumentPosition) bool { return p.typ.Name() == "ID" && p.typ.NonNull })
	values := m.mallory.allIDs()
	if at < 0 {
		at = slices.IndexFunc(positions, func(p argumentPosition) bool { return p.typ.Name() == "String" })
		values = []string{"Something"}
	}
	for _, value := range values {
		a := m.query(t, r, m.argumentsWith(positions[at], value, m.mallory.argumentFiller(t)), nil, "")
		if len(a.Errors) == 0 {
			recordFields(t, seen, []byte(a.Raw))
			return
		}
	}
	require.Failf(t, "nothing fits", "%s takes none of the person's own things", r)
}

// TestMatrix_WithoutPolicies_FindsLeaks shows that the matrix has teeth: with the policies off, and no
// other wall behind them, every argument that takes an id or a number gives the victim away.
func TestMatrix_WithoutPolicies_FindsLeaks(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, b, true)
	m.createUser(t, "first")
	for _, list := range []string{"Query.tasks map[]", "Query.conversations map[]"} {
		require.NotEmpty(t, m.findLeak(m.snapshot(t)[list], nil), list)
	}
	require.NotEmpty(t, m.attackTools(t, m.registry(), true))
	require.NotEmpty(t, m.attackTools(t, m.registry(), false))
	for _, r := range m.roots(m.Query, m.Subscription, m.Mutation) {
		for _, p := range m.positions(r) {
			if p.typ.Name() == "ID" || p.path[len(p.path)-1] == "number" {
				m.createUser(t, "victim-of-"+regexp.MustCompile(`\W`).ReplaceAllString(p.String(), "-"))
				require.NotEmpty(t, m.attackPosition(t, p), "%s would keep a secret without any wall: the attack is blunt", p)
			}
		}
	}
}
