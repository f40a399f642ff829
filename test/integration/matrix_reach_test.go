package integration

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

// unreached are fields in which the matrix finds nothing, each with the reason why that is no hole.
var unreached = map[string]string{
	"Mutation.deleteViewer":    "would end the person in whose place the test looks; TestADeletedAccountLeavesNothing runs it",
	"Message.unverifiedReason": "takes a model that lies; internal/agent tests it",
	"MessageError.retryAt":     "takes a day's tokens used up in mid-turn; internal/agent tests it",
}

// reached notes which fields hold something in an answer.
func reached(t testing.TB, into map[string]bool, answer []byte) {
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

// TestTheMatrixReachesEveryField is what makes the matrix complete: run by the owner, its
// operations find something in every field of the schema. A new field that they do not reach fails here.
func TestTheMatrixReachesEveryField(t *testing.T) {
	t.Parallel()
	b := boot(t, testdb.SQLiteURL(t), generous)
	m := newMatrix(t, b, false)
	seen := map[string]bool{}
	for _, answer := range m.look(t) {
		reached(t, seen, []byte(answer))
	}
	reachStreams(t, m, seen)
	for _, last := range []bool{false, true} { // what takes things away comes last
		for _, r := range m.roots(m.Mutation) {
			if (r.field.Type.Name() == "DeletePayload") == last {
				reachMutation(t, m, r, seen)
			}
		}
	}
	for _, coordinate := range m.fields() {
		if unreached[coordinate] == "" {
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
	for coordinate := range unreached {
		require.Contains(t, m.fields(), coordinate, "the list names a field that is no more")
	}
}

// reachStreams listens to everything while a turn is written.
func reachStreams(t *testing.T, m *matrix, seen map[string]bool) {
	t.Helper()
	socket := m.mallory.Dial(t)
	for _, r := range m.roots(m.Subscription) {
		args := vars{}
		for _, p := range m.positions(r) {
			if p.typ.NonNull {
				args = m.put(p, m.mallory.conversation, m.mallory.fill(t))
			}
		}
		sub := socket.Subscribe(t, m.document(r, args, nil, ""), args)
		require.Eventually(t, func() bool { return m.b.Hub.Subscribers() > 0 }, testclient.Timeout, tick)
		m.mallory.say(t, "", "Add a task to look out of the window")
		for _, wanted := range m.endings(r) {
			for !seen[wanted] {
				payload, err := sub.Next(t.Context())
				require.NoError(t, err, r)
				seen[r.String()] = true
				reached(t, seen, payload)
			}
		}
		sub.Stop()
	}
}

// endings are what a stream must come to: each of its kinds of events.
func (m *matrix) endings(r root) (out []string) {
	def := m.Types[r.field.Type.Name()]
	for _, possible := range m.GetPossibleTypes(def) {
		out = append(out, possible.Name+".cursor")
	}
	return out
}

// reachMutation tries a mutation on each of the person's own things until one fits.
func reachMutation(t *testing.T, m *matrix, r root, seen map[string]bool) {
	t.Helper()
	if unreached[r.String()] != "" {
		return
	}
	positions := m.positions(r)
	at := slices.IndexFunc(positions, func(p position) bool { return p.typ.Name() == "ID" && p.typ.NonNull })
	values := m.mallory.all()
	if at < 0 {
		at = slices.IndexFunc(positions, func(p position) bool { return p.typ.Name() == "String" })
		values = []string{"Something"}
	}
	for _, value := range values {
		a := m.ask(t, r, m.put(positions[at], value, m.mallory.fill(t)), nil, "")
		if len(a.Errors) == 0 {
			reached(t, seen, []byte(a.Raw))
			return
		}
	}
	require.Failf(t, "nothing fits", "%s takes none of the person's own things", r)
}

// TestTheMatrixNoticesAMissingWall shows that the matrix has teeth: with the policies off, and no
// other wall behind them, every argument that takes an id or a number gives the victim away.
func TestTheMatrixNoticesAMissingWall(t *testing.T) {
	t.Parallel()
	b := boot(t, testdb.SQLiteURL(t), generous)
	m := newMatrix(t, b, true)
	m.meet(t, "first")
	for _, list := range []string{"Query.tasks map[]", "Query.conversations map[]"} {
		require.NotEmpty(t, m.leak(m.look(t)[list], nil), list)
	}
	require.NotEmpty(t, m.attackTools(t, m.registry(), true))
	require.NotEmpty(t, m.attackTools(t, m.registry(), false))
	for _, r := range m.roots(m.Query, m.Subscription, m.Mutation) {
		for _, p := range m.positions(r) {
			if p.typ.Name() == "ID" || p.path[len(p.path)-1] == "number" {
				m.meet(t, "victim-of-"+regexp.MustCompile(`\W`).ReplaceAllString(p.String(), "-"))
				require.NotEmpty(t, m.attack(t, p), "%s would keep a secret without any wall: the attack is blunt", p)
			}
		}
	}
}
