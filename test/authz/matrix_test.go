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

// nonReferenceArguments are the types, and arguments of a type, that refer to no object: counts, orders and filters.
// An unlisted one fails the test.
var nonReferenceArguments = []string{
	"ApprovalMode", "Boolean", "Date", "DateTime", "Int first", "Int last", "Int expectedVersion",
	"TaskPriority", "TaskStatus", "TaskOrderField", "OrderDirection", "TaskOrder orderBy", "UsagePeriod period", "Weekday",
	"TokenScope",
}

// authzMatrix attacks the rows of a victim through every operation and argument of the schema, and every tool.
type authzMatrix struct {
	schemaSurface
	env         *harness.Env
	attacker    *userFixture
	victim      *userFixture
	toolContext func(context.Context) context.Context // authenticates tool calls as the attacker
	withoutRLS  bool
}

// newAuthzMatrix creates a matrix with an attacker and no victim. With withoutPolicies, the attacker uses a server
// without entity policies.
func newAuthzMatrix(t *testing.T, env *harness.Env, withoutPolicies bool) *authzMatrix {
	t.Helper()
	m := &authzMatrix{
		schemaSurface: loadSchemaSurface(t),
		env:           env,
		withoutRLS:    withoutPolicies,
		attacker:      createUserFixture(t, env, "mallory", "nothing special", "mine", 1),
	}
	as := viewer.Viewer{UserID: m.attacker.id, Actor: viewer.ActorAgent}
	m.toolContext = func(ctx context.Context) context.Context { return viewer.NewContext(ctx, as) }
	if withoutPolicies {
		m.attacker.Client = testclient.New(t, serveWithoutPolicies(t, env), m.attacker.Token)
		m.toolContext = func(ctx context.Context) context.Context {
			return privacy.DecisionContext(viewer.NewContext(ctx, as), privacy.Allow)
		}
	}
	return m
}

// createVictim creates a new victim with a task number that the attacker has not.
func (m *authzMatrix) createVictim(t *testing.T, name string) {
	t.Helper()
	m.victim = createUserFixture(t, m.env, name, guess+" "+reference+" "+secretMarker, guess, 3)
	m.env.AddTasks(t, m.victim.id, 100) // with numbers above all of the attacker's
	m.victim.numbers = []int{1099}
	m.victim.collectReferences(t, m.env)
}

// runQuery runs an operation as the attacker and checks that it is valid.
func (m *authzMatrix) runQuery(t *testing.T, p rootField, args testclient.Vars, extra map[string]string,
	declare string,
) testclient.Response {
	t.Helper()
	a := m.attacker.Try(t, m.document(p, args, extra, declare), args)
	m.requireValidAttack(t, a.Raw)
	return a
}

// requireValidAttack fails the test when an operation was rejected before it reached the data.
func (m *authzMatrix) requireValidAttack(t *testing.T, answer string) {
	t.Helper()
	require.NotRegexp(
		t,
		`COMPLEXITY_LIMIT_EXCEEDED|GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|RATE_LIMITED.*messages`,
		answer,
	)
}

// snapshot runs every query with the attacker's own values only, and returns the responses by query and arguments.
func (m *authzMatrix) snapshot(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for _, r := range m.roots(m.Query) {
		for _, args := range m.ownArguments(t, r, m.attacker.allIDs()) {
			seen[fmt.Sprint(r, args)] = m.runQuery(t, r, args, nil, "").Raw
		}
	}
	return seen
}

// taskTexts are texts for parseTask that together give every field a value.
var taskTexts = []string{
	"Call Ann tomorrow at 5pm !! #home, note: bring cake", "Pay rent by 2031-01-31", "Book friday table",
	"a", // finds messages by the beginnings of words
}

// ownArguments returns the required arguments of a query, one set for each of the given IDs or of the attacker's task
// numbers.
func (m *authzMatrix) ownArguments(t *testing.T, r rootField, ids []string) []testclient.Vars {
	for _, p := range m.positions(r) {
		if !p.typ.NonNull || len(p.path) > 1 {
			continue
		}
		var out []testclient.Vars
		if p.typ.Name() == "ID" {
			for _, id := range ids {
				out = append(out, m.argumentsWith(p, id, m.attacker.argumentFiller(t)))
			}
			return out
		}
		for _, n := range m.attacker.numbers {
			var value any = n
			if p.typ.Name() == "String" {
				value = fmt.Sprint(n)
			}
			out = append(out, m.argumentsWith(p, value, m.attacker.argumentFiller(t)))
		}
		if p.typ.Name() == "String" { // a reference to a task: the beginnings of words are candidates
			out = append(out, m.argumentsWith(p, "not", m.attacker.argumentFiller(t)))
			for _, text := range taskTexts {
				out = append(out, m.argumentsWith(p, text, m.attacker.argumentFiller(t)))
			}
		}
		return out
	}
	return []testclient.Vars{{}}
}

// attackPosition runs an operation with each of the victim's values at an argument position. It returns the leaks,
// the internal errors, and the values whose response differs from that of an absent value.
func (m *authzMatrix) attackPosition(t *testing.T, p argumentPosition) (findings []string) {
	t.Helper()
	for _, try := range m.attackValues(t, p) {
		hit := m.responseTo(t, p, try.victim)
		if what := m.findLeak(hit, try.victim); what != "" {
			findings = append(findings, fmt.Sprintf("%s = %v shows %s", p, try.victim, what))
		}
		if strings.Contains(hit, "INTERNAL_SERVER_ERROR") {
			findings = append(findings, fmt.Sprintf("%s = %v causes an internal error: the query matched rows of other users",
				p, try.victim))
		}
		if try.absent == nil {
			continue
		}
		miss := m.responseTo(t, p, try.absent)
		if p.operation == "Mutation" && !isError(hit) && !isError(miss) {
			continue // both created an object of the attacker
		}
		if normalizeResponse(hit, try.victim) != normalizeResponse(miss, try.absent) {
			findings = append(findings, fmt.Sprintf("%s distinguishes %v from %v:\n%s\n%s", p, try.victim, try.absent, hit,
				miss))
		}
	}
	return findings
}

// attackValue is a value that refers to the victim's data, and a similar one that refers to nothing; absent may be nil.
type attackValue struct{ victim, absent any }

func (m *authzMatrix) attackValues(t *testing.T, p argumentPosition) (out []attackValue) {
	name := p.path[len(p.path)-1]
	switch kind := p.typ.Name(); {
	case kind == "ID":
		for prefix, group := range m.victim.ids {
			tried := []string{group[0], group[len(group)-1]}
			if prefix == ids.Message {
				tried = append(tried, group[1]) // the first reply, whose turn has changed a task
			}
			for _, id := range tried {
				out = append(out, attackValue{id, ids.New(prefix)()})
			}
		}
	case kind == "Cursor":
		for _, c := range m.victim.cursors {
			out = append(out, attackValue{c, nil})
		}
	case kind == "String":
		out = append(out, attackValue{guess, absentGuess})
	case kind == "Int" && name == "number":
		out = append(out, attackValue{m.victim.numbers[0], 987654})
	case !slices.Contains(nonReferenceArguments, kind) && !slices.Contains(nonReferenceArguments, kind+" "+name):
		require.Failf(t, "unknown argument", "the matrix has no attack for %s (%s)", p, kind)
	}
	return out
}

// responseTo runs an operation with a value at the position and returns the HTTP status and body, or the first
// subscription event.
func (m *authzMatrix) responseTo(t *testing.T, p argumentPosition, value any) string {
	t.Helper()
	args := m.argumentsWith(p, value, m.attacker.argumentFiller(t))
	if p.operation == "Subscription" {
		return m.subscribeTo(t, p, args)
	}
	a := m.runQuery(t, p.rootField, args, nil, "")
	return fmt.Sprint(a.Status, " ", a.Raw)
}

// subscribeTo subscribes, triggers an event of the attacker and returns the first event or error received.
func (m *authzMatrix) subscribeTo(t *testing.T, p argumentPosition, args testclient.Vars) string {
	t.Helper()
	socket := m.attacker.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, m.document(p.rootField, args, nil, ""), args)
	if p.typ.Name() == "Cursor" {
		harness.CreateTask(t, m.attacker.Client, testclient.Vars{"title": "Something happens"})
		m.attacker.createAndDeleteConversation(t)
	}
	payload, err := sub.Next(t.Context())
	response := fmt.Sprint(string(payload), err)
	m.requireValidAttack(t, response)
	return response
}

// findLeak returns the first of the victim's IDs or texts in a response, except the value that was sent; empty means
// no leak.
func (m *authzMatrix) findLeak(text string, sent any) string {
	for _, id := range m.victim.allIDs() {
		if id != sent && strings.Contains(text, id) {
			return id
		}
	}
	if strings.Contains(text, secretMarker) {
		return secretMarker
	}
	return ""
}

var sentInLists = strings.NewReplacer(guess, "SENT", absentGuess, "SENT", reference, "SENT", absentReference, "SENT")

var jsonMember = regexp.MustCompile(`"\w+":(null)?`)

// normalizeResponse returns a response with the sent value masked, for comparisons. A response with data, which grows
// with each attack, is reduced to the names of its members and which of them are null.
func normalizeResponse(answer string, sent any) string {
	answer = regexp.MustCompile(`\b`+regexp.QuoteMeta(fmt.Sprint(sent))+`\b`).ReplaceAllString(answer, "SENT")
	answer = sentInLists.Replace(answer)
	if isError(answer) || !strings.Contains(answer, "{") {
		return answer
	}
	members := jsonMember.FindAllString(answer, -1)
	slices.Sort(members)
	return strings.Join(slices.Compact(members), " ")
}

// isError reports whether a GraphQL response has errors or a tool or MCP call failed.
func isError(answer string) bool {
	return strings.Contains(answer, `"errors":[`) || strings.HasPrefix(answer, `{"error":`)
}

// eachIsolationLayer runs a subtest on SQLite and PostgreSQL with all layers of isolation, and on PostgreSQL without
// entity policies and without row-level security, because each layer must suffice alone.
func eachIsolationLayer(t *testing.T, test func(t *testing.T, env *harness.Env, withoutPolicies bool)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits), false)
	})
	for name, withoutPolicies := range map[string]bool{"postgres": false, "postgres without policies": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := harness.Start(t, testdb.PostgresURL(t), harness.GenerousLimits, harness.Settings{"DB_ROW_SECURITY": "on"})
			test(t, env, withoutPolicies)
		})
	}
	t.Run("postgres without row-level security", func(t *testing.T) {
		t.Parallel()
		test(t, harness.Start(t, testdb.PostgresURL(t), harness.GenerousLimits, harness.Settings{"DB_ROW_SECURITY": "off"}),
			false)
	})
}

// TestMatrix_OtherUsersData_IsInaccessible attacks every query, connection, argument, mutation,
// subscription and tool.
func TestMatrix_OtherUsersData_IsInaccessible(t *testing.T) {
	eachIsolationLayer(t, func(t *testing.T, env *harness.Env, withoutPolicies bool) {
		m := newAuthzMatrix(t, env, withoutPolicies)
		before := m.snapshot(t)
		m.createVictim(t, "victim")
		rows := m.victim.dumpRows(t, env)

		after := m.snapshot(t)
		for what, answer := range after {
			require.Empty(t, m.findLeak(answer, nil), what)
			if !strings.HasPrefix(what, "Query.exportViewer") { // a second export has to wait
				require.Equal(t, before[what], answer, "creating the victim changed %s", what)
			}
		}
		// Read-only attacks run first: the mutations create objects of the attacker with the guessed names.
		findings := append(m.attackRootFields(t, m.Query), m.attackTools(t, m.agentToolbox(), true)...)
		for _, coordinate := range m.nestedConnections() {
			findings = append(findings, m.attackNestedConnection(t, coordinate)...)
		}
		findings = append(findings, m.attackRootFields(t, m.Subscription, m.Mutation)...)
		findings = append(findings, m.attackTools(t, m.agentToolbox(), false)...)
		for _, fault := range findings {
			t.Error(fault)
		}
		require.Equal(t, rows, m.victim.dumpRows(t, env), "the victim's rows changed")
		m.checkStreamsIsolated(t)
	})
}

func (m *authzMatrix) attackRootFields(t *testing.T, kinds ...*ast.Definition) (findings []string) {
	t.Helper()
	for _, r := range m.roots(kinds...) {
		for _, p := range m.positions(r) {
			findings = append(findings, m.attackPosition(t, p)...)
		}
	}
	return findings
}

// attackNestedConnection uses the victim's cursors as an argument of a connection below the root fields.
func (m *authzMatrix) attackNestedConnection(t *testing.T, coordinate string) (findings []string) {
	t.Helper()
	edge, argument, _ := strings.Cut(strings.TrimSuffix(coordinate, ")"), "(")
	typeName, fieldName, _ := strings.Cut(edge, ".")
	definition := m.Types[typeName].Fields.ForName(fieldName).Arguments.ForName(argument)
	if kind := definition.Type.Name(); kind != "Cursor" {
		require.Contains(
			t,
			nonReferenceArguments,
			strings.TrimSpace(kind+" "+argument),
			"the matrix has no attack for %s",
			coordinate,
		)
		return nil
	}
	extra := map[string]string{edge: argument + ": $attack"}
	var one []string // one ID of each prefix
	for _, group := range m.attacker.ids {
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
				a := m.attacker.Try(t, document, args)
				m.requireValidAttack(t, a.Raw)
				if what := m.findLeak(a.Raw, cursor); what != "" {
					findings = append(findings, fmt.Sprintf("%s below %s shows %s", coordinate, r, what))
				}
				delete(args, "attack")
			}
		}
	}
	return findings
}

// checkStreamsIsolated runs every subscription as the attacker while the victim changes data.
func (m *authzMatrix) checkStreamsIsolated(t *testing.T) {
	t.Helper()
	socket := m.attacker.Dial(t)
	var subs []*testclient.Subscription
	for _, r := range m.roots(m.Subscription) {
		args := testclient.Vars{}
		if r.field.Arguments.ForName("conversationId") != nil {
			args["conversationId"] = m.attacker.conversation
		}
		subs = append(subs, socket.Subscribe(t, m.document(r, args, nil, ""), args))
	}
	m.victim.sendMessage(t, "", "Add a task to hide the "+secretMarker)
	m.victim.createAndDeleteConversation(t)
	harness.CreateTask(t, m.victim.Client, testclient.Vars{"title": secretMarker})
	harness.Send(t, m.attacker.Client, m.attacker.conversation, "Now end this test")
	harness.CreateTask(t, m.attacker.Client, testclient.Vars{"title": "end this test"})
	for i, r := range m.roots(m.Subscription) {
		for last := false; !last; {
			payload, err := subs[i].Next(t.Context())
			require.NoError(t, err, r)
			require.Empty(t, m.findLeak(string(payload), nil), r)
			last = strings.Contains(string(payload), "end this test")
		}
	}
}
