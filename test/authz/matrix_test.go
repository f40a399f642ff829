package authz

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"errand/internal/ids"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// errorCodes are the scalars and arguments that refer to nothing: they say how many, or in which
// order. A new one fails the test until it is here.
var errorCodes = []string{
	"Boolean", "Date", "DateTime", "Int first", "Int last", "Int expectedVersion",
	"TaskPriority", "TaskStatus", "TaskOrderField", "OrderDirection", "UsagePeriod period",
}

// authzMatrix is an attacker's way through the whole surface at a victim's rows.
type authzMatrix struct {
	schemaSurface
	env        *harness.Env
	mallory    *userFixture // the attacker
	victim     *userFixture
	context    func(context.Context) context.Context // for tools
	withoutRLS bool
}

// newAuthzMatrix makes the attacker. Without policies it acts through a server that has none.
func newAuthzMatrix(t *testing.T, b *harness.Env, unpoliced bool) *authzMatrix {
	t.Helper()
	m := &authzMatrix{
		schemaSurface: loadSurface(t),
		env:           b,
		withoutRLS:    unpoliced,
		mallory:       createUserFixture(t, b, "mallory", "nothing special", "mine", 1),
	}
	as := viewer.Viewer{UserID: m.mallory.id, Actor: viewer.ActorAgent}
	m.context = func(ctx context.Context) context.Context { return viewer.NewContext(ctx, as) }
	if unpoliced {
		m.mallory.Client = testclient.New(t, disableRLS(t, b), m.mallory.Token)
		m.context = func(ctx context.Context) context.Context {
			return privacy.DecisionContext(viewer.NewContext(ctx, as), privacy.Allow)
		}
	}
	return m
}

// createUser makes a victim whose numbers the attacker has not.
func (m *authzMatrix) createUser(t *testing.T, name string) {
	t.Helper()
	m.victim = createUserFixture(t, m.env, name, guess+" "+secretWord, guess, 3)
	m.env.AddTasks(t, m.victim.id, 100) // with numbers that the attacker never reaches
	m.victim.numbers = []int{1099}
	m.victim.collectIDs(t, m.env)
}

// query runs an operation as the attacker.
func (m *authzMatrix) query(t *testing.T, p rootField, args testclient.Vars, extra map[string]string, declare string) testclient.Response {
	t.Helper()
	a := m.mallory.Try(t, m.document(p, args, extra, declare), args)
	m.requireValidAttack(t, a.Raw)
	return a
}

// requireValidAttack fails when an attack did not get as far as the data.
func (m *authzMatrix) requireValidAttack(t *testing.T, answer string) {
	t.Helper()
	require.NotRegexp(
		t,
		`COMPLEXITY_LIMIT_EXCEEDED|GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|RATE_LIMITED.*messages`,
		answer,
	)
}

// snapshot runs every query with nothing but the attacker's own values.
func (m *authzMatrix) snapshot(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for _, r := range m.roots(m.Query) {
		for _, args := range m.ownArguments(t, r, m.mallory.allIDs()) {
			seen[fmt.Sprint(r, args)] = m.query(t, r, args, nil, "").Raw
		}
	}
	return seen
}

// ownArguments are the required arguments of a query, filled with each of the given things of the attacker's.
func (m *authzMatrix) ownArguments(t *testing.T, r rootField, ids []string) []testclient.Vars {
	for _, p := range m.positions(r) {
		if !p.typ.NonNull || len(p.path) > 1 {
			continue
		}
		var out []testclient.Vars
		if p.typ.Name() == "ID" {
			for _, id := range ids {
				out = append(out, m.argumentsWith(p, id, m.mallory.argumentFiller(t)))
			}
		} else {
			for _, n := range m.mallory.numbers {
				out = append(out, m.argumentsWith(p, n, m.mallory.argumentFiller(t)))
			}
		}
		return out
	}
	return []testclient.Vars{{}}
}

// attackPosition puts the victim's values into a position, and gives what came of it that must not.
func (m *authzMatrix) attackPosition(t *testing.T, p argumentPosition) (faults []string) {
	t.Helper()
	for _, try := range m.attempts(t, p) {
		hit := m.responseTo(t, p, try.value)
		if what := m.findLeak(hit, try.value); what != "" {
			faults = append(faults, fmt.Sprintf("%s = %v shows %s", p, try.value, what))
		}
		if strings.Contains(hit, "INTERNAL_SERVER_ERROR") {
			faults = append(faults, fmt.Sprintf("%s = %v breaks: one row was expected, and others' were found", p, try.value))
		}
		if try.ghost == nil {
			continue
		}
		miss := m.responseTo(t, p, try.ghost)
		if p.kind == "Mutation" && !isError(hit) && !isError(miss) {
			continue // both made something of the attacker's own
		}
		if normalizeResponse(hit, try.value) != normalizeResponse(miss, try.ghost) {
			faults = append(faults, fmt.Sprintf("%s tells %v from %v:\n%s\n%s", p, try.value, try.ghost, hit, miss))
		}
	}
	return faults
}

// attempt is a value of the victim's, and one like it that belongs to nobody.
type attempt struct{ value, ghost any }

func (m *authzMatrix) attempts(t *testing.T, p argumentPosition) (out []attempt) {
	name := p.path[len(p.path)-1]
	switch kind := p.typ.Name(); {
	case kind == "ID":
		for prefix, group := range m.victim.ids {
			out = append(out, attempt{group[0], ids.New(prefix)()}, attempt{group[len(group)-1], ids.New(prefix)()})
		}
	case kind == "Cursor":
		for _, c := range m.victim.cursors {
			out = append(out, attempt{c, nil})
		}
	case kind == "String":
		out = append(out, attempt{guess, wrongGuess})
	case kind == "Int" && name == "number":
		out = append(out, attempt{m.victim.numbers[0], 987654})
	case !slices.Contains(errorCodes, kind) && !slices.Contains(errorCodes, kind+" "+name):
		require.Failf(t, "unknown argument", "the matrix does not know what %s (%s) refers to", p, kind)
	}
	return out
}

// responseTo is what the server says, with its HTTP status.
func (m *authzMatrix) responseTo(t *testing.T, p argumentPosition, value any) string {
	t.Helper()
	args := m.argumentsWith(p, value, m.mallory.argumentFiller(t))
	if p.kind == "Subscription" {
		return m.subscribeTo(t, p, args)
	}
	a := m.query(t, p.rootField, args, nil, "")
	return fmt.Sprint(a.Status, " ", a.Raw)
}

// subscribeTo subscribes, makes something of the attacker's own happen, and gives the first thing said.
func (m *authzMatrix) subscribeTo(t *testing.T, p argumentPosition, args testclient.Vars) string {
	t.Helper()
	socket := m.mallory.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, m.document(p.rootField, args, nil, ""), args)
	if p.typ.Name() == "Cursor" {
		harness.CreateTask(t, m.mallory.Client, testclient.Vars{"title": "Something happens"})
	}
	payload, err := sub.Next(t.Context())
	said := fmt.Sprint(string(payload), err)
	m.requireValidAttack(t, said)
	return said
}

// findLeak names what of the victim's stands in a text, apart from the value that was sent.
func (m *authzMatrix) findLeak(text string, sent any) string {
	for _, id := range m.victim.allIDs() {
		if id != sent && strings.Contains(text, id) {
			return id
		}
	}
	if strings.Contains(text, secretWord) {
		return secretWord
	}
	return ""
}

var jsonMember = regexp.MustCompile(`"\w+":(null)?`)

// normalizeResponse is an answer without the value that was sent. Where it holds data of the attacker's
// own, which grow with each attack, it is which members there are and which of them are null.
func normalizeResponse(answer string, sent any) string {
	answer = regexp.MustCompile(`\b`+regexp.QuoteMeta(fmt.Sprint(sent))+`\b`).ReplaceAllString(answer, "SENT")
	if isError(answer) || !strings.Contains(answer, "{") {
		return answer
	}
	members := jsonMember.FindAllString(answer, -1)
	slices.Sort(members)
	return strings.Join(slices.Compact(members), " ")
}

func isError(answer string) bool {
	return strings.Contains(answer, `"errors":[`) || strings.HasPrefix(answer, `{"error":`)
}

// withAndWithoutRLS are the matrix's servers: each engine whole, and PostgreSQL with one wall taken away.
func withAndWithoutRLS(t *testing.T, test func(t *testing.T, b *harness.Env, unpoliced bool)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits), false)
	})
	for name, unpoliced := range map[string]bool{"postgres": false, "postgres without policies": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := harness.Start(t, testdb.PostgresURL(t), harness.GenerousLimits, harness.Settings{"DB_ROW_SECURITY": "on"})
			test(t, b, unpoliced)
		})
	}
	t.Run("postgres without row security", func(t *testing.T) {
		t.Parallel()
		test(t, harness.Start(t, testdb.PostgresURL(t), harness.GenerousLimits, harness.Settings{"DB_ROW_SECURITY": "off"}), false)
	})
}

// TestMatrix_OtherUsersData_IsInaccessible goes through every query, edge, argument, mutation, subscription and tool.
func TestMatrix_OtherUsersData_IsInaccessible(t *testing.T) {
	withAndWithoutRLS(t, func(t *testing.T, b *harness.Env, unpoliced bool) {
		m := newAuthzMatrix(t, b, unpoliced)
		before := m.snapshot(t)
		m.createUser(t, "victim")
		rows := m.victim.dumpRows(t, b)

		after := m.snapshot(t)
		for what, answer := range after {
			require.Empty(t, m.findLeak(answer, nil), what)
			if !strings.HasPrefix(what, "Query.exportViewer") { // a second export has to wait
				require.Equal(t, before[what], answer, "the victim's coming changed %s", what)
			}
		}
		// What only reads comes first: later the attacker has things of the guessed names too.
		faults := append(m.attackAllFields(t, m.Query), m.attackTools(t, m.registry(), true)...)
		for _, coordinate := range m.nestedConnections() {
			faults = append(faults, m.attackNestedConnection(t, coordinate)...)
		}
		faults = append(faults, m.attackAllFields(t, m.Subscription, m.Mutation)...)
		faults = append(faults, m.attackTools(t, m.registry(), false)...)
		for _, fault := range faults {
			t.Error(fault)
		}
		require.Equal(t, rows, m.victim.dumpRows(t, b), "the victim's rows changed")
		m.checkStreamsIsolated(t)
	})
}

func (m *authzMatrix) attackAllFields(t *testing.T, kinds ...*ast.Definition) (faults []string) {
	t.Helper()
	for _, r := range m.roots(kinds...) {
		for _, p := range m.positions(r) {
			faults = append(faults, m.attackPosition(t, p)...)
		}
	}
	return faults
}

// attackNestedConnection gives the victim's cursors to an edge below the roots.
func (m *authzMatrix) attackNestedConnection(t *testing.T, coordinate string) (faults []string) {
	t.Helper()
	edge, argument, _ := strings.Cut(strings.TrimSuffix(coordinate, ")"), "(")
	typeName, fieldName, _ := strings.Cut(edge, ".")
	definition := m.Types[typeName].Fields.ForName(fieldName).Arguments.ForName(argument)
	if kind := definition.Type.Name(); kind != "Cursor" {
		require.Contains(
			t,
			errorCodes,
			strings.TrimSpace(kind+" "+argument),
			"the matrix does not know what %s refers to",
			coordinate,
		)
		return nil
	}
	extra := map[string]string{edge: argument + ": $attack"}
	var one []string // of each kind
	for _, group := range m.mallory.ids {
		one = append(one, group[0])
	}
	for _, r := range m.roots(m.Query) {
		if !strings.Contains(m.selection(r.field.Type.Name(), nil, extra), "$attack") {
			continue
		}
		for _, args := range m.ownArguments(t, r, one) {
			for _, cursor := range m.victim.cursors {
				document := m.document(r, args, extra, "$attack: Cursor")
				args["attack"] = cursor
				a := m.mallory.Try(t, document, args)
				m.requireValidAttack(t, a.Raw)
				if what := m.findLeak(a.Raw, cursor); what != "" {
					faults = append(faults, fmt.Sprintf("%s below %s shows %s", coordinate, r, what))
				}
				delete(args, "attack")
			}
		}
	}
	return faults
}

// checkStreamsIsolated listens to everything that is the attacker's own while the victim is busy.
func (m *authzMatrix) checkStreamsIsolated(t *testing.T) {
	t.Helper()
	socket := m.mallory.Dial(t)
	var subs []*testclient.Subscription
	for _, r := range m.roots(m.Subscription) {
		args := testclient.Vars{}
		if r.field.Arguments.ForName("conversationId") != nil {
			args["conversationId"] = m.mallory.conversation
		}
		subs = append(subs, socket.Subscribe(t, m.document(r, args, nil, ""), args))
	}
	m.victim.sendMessage(t, "", "Add a task to hide the "+secretWord)
	harness.CreateTask(t, m.victim.Client, testclient.Vars{"title": secretWord})
	harness.Send(t, m.mallory.Client, m.mallory.conversation, "Now end this test")
	harness.CreateTask(t, m.mallory.Client, testclient.Vars{"title": "end this test"})
	for i, r := range m.roots(m.Subscription) {
		for last := false; !last; {
			payload, err := subs[i].Next(t.Context())
			require.NoError(t, err, r)
			require.Empty(t, m.findLeak(string(payload), nil), r)
			last = strings.Contains(string(payload), "end this test")
		}
	}
}
