package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/internal/ids"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// plain are the scalars and arguments that refer to nothing: they say how many, or in which
// order. A new one fails the test until it is here.
var plain = []string{
	"Boolean", "Date", "DateTime", "Int first", "Int last", "Int expectedVersion",
	"TaskPriority", "TaskStatus", "TaskOrderField", "OrderDirection", "UsagePeriod period",
}

// matrix is an attacker's way through the whole surface at a victim's rows.
type matrix struct {
	surface
	b         *bench
	mallory   *resident // the attacker
	victim    *resident
	context   func(context.Context) context.Context // for tools
	unpoliced bool
}

// newMatrix makes the attacker. Without policies it acts through a server that has none.
func newMatrix(t *testing.T, b *bench, unpoliced bool) *matrix {
	t.Helper()
	m := &matrix{
		surface:   loadSurface(t),
		b:         b,
		unpoliced: unpoliced,
		mallory:   b.person(t, "mallory", "nothing special", "mine", 1),
	}
	as := viewer.Viewer{UserID: m.mallory.id, Actor: viewer.ActorAgent}
	m.context = func(ctx context.Context) context.Context { return viewer.NewContext(ctx, as) }
	if unpoliced {
		m.mallory.client = testclient.New(t, b.withoutPolicies(t), m.mallory.Token)
		m.context = func(ctx context.Context) context.Context {
			return privacy.DecisionContext(viewer.NewContext(ctx, as), privacy.Allow)
		}
	}
	return m
}

// meet makes a victim whose numbers the attacker has not.
func (m *matrix) meet(t *testing.T, name string) {
	t.Helper()
	m.victim = m.b.person(t, name, guess+" "+secretWord, guess, 3)
	m.b.addTasks(t, m.victim.id, 100) // with numbers that the attacker never reaches
	m.victim.numbers = []int{1099}
	m.victim.collect(t, m.b)
}

// ask runs an operation as the attacker.
func (m *matrix) ask(t *testing.T, p root, args vars, extra map[string]string, declare string) testclient.Response {
	t.Helper()
	a := m.mallory.Try(t, m.document(p, args, extra, declare), args)
	m.requireSharp(t, a.Raw)
	return a
}

// requireSharp fails when an attack did not get as far as the data.
func (m *matrix) requireSharp(t *testing.T, answer string) {
	t.Helper()
	require.NotRegexp(
		t,
		`COMPLEXITY_LIMIT_EXCEEDED|GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|RATE_LIMITED.*messages`,
		answer,
	)
}

// look runs every query with nothing but the attacker's own values.
func (m *matrix) look(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for _, r := range m.roots(m.Query) {
		for _, args := range m.own(t, r, m.mallory.all()) {
			seen[fmt.Sprint(r, args)] = m.ask(t, r, args, nil, "").Raw
		}
	}
	return seen
}

// own are the required arguments of a query, filled with each of the given things of the attacker's.
func (m *matrix) own(t *testing.T, r root, ids []string) []vars {
	for _, p := range m.positions(r) {
		if !p.typ.NonNull || len(p.path) > 1 {
			continue
		}
		var out []vars
		if p.typ.Name() == "ID" {
			for _, id := range ids {
				out = append(out, m.put(p, id, m.mallory.fill(t)))
			}
		} else {
			for _, n := range m.mallory.numbers {
				out = append(out, m.put(p, n, m.mallory.fill(t)))
			}
		}
		return out
	}
	return []vars{{}}
}

// attack puts the victim's values into a position, and gives what came of it that must not.
func (m *matrix) attack(t *testing.T, p position) (faults []string) {
	t.Helper()
	for _, try := range m.tries(t, p) {
		hit := m.answer(t, p, try.value)
		if what := m.leak(hit, try.value); what != "" {
			faults = append(faults, fmt.Sprintf("%s = %v shows %s", p, try.value, what))
		}
		if strings.Contains(hit, "INTERNAL_SERVER_ERROR") {
			faults = append(faults, fmt.Sprintf("%s = %v breaks: one row was expected, and others' were found", p, try.value))
		}
		if try.ghost == nil {
			continue
		}
		miss := m.answer(t, p, try.ghost)
		if p.kind == "Mutation" && !failed(hit) && !failed(miss) {
			continue // both made something of the attacker's own
		}
		if comparable(hit, try.value) != comparable(miss, try.ghost) {
			faults = append(faults, fmt.Sprintf("%s tells %v from %v:\n%s\n%s", p, try.value, try.ghost, hit, miss))
		}
	}
	return faults
}

// try is a value of the victim's, and one like it that belongs to nobody.
type try struct{ value, ghost any }

func (m *matrix) tries(t *testing.T, p position) (out []try) {
	name := p.path[len(p.path)-1]
	switch kind := p.typ.Name(); {
	case kind == "ID":
		for prefix, group := range m.victim.ids {
			out = append(out, try{group[0], ids.New(prefix)()}, try{group[len(group)-1], ids.New(prefix)()})
		}
	case kind == "Cursor":
		for _, c := range m.victim.cursors {
			out = append(out, try{c, nil})
		}
	case kind == "String":
		out = append(out, try{guess, wrongGuess})
	case kind == "Int" && name == "number":
		out = append(out, try{m.victim.numbers[0], 987654})
	case !slices.Contains(plain, kind) && !slices.Contains(plain, kind+" "+name):
		require.Failf(t, "unknown argument", "the matrix does not know what %s (%s) refers to", p, kind)
	}
	return out
}

// answer is what the server says, with its HTTP status.
func (m *matrix) answer(t *testing.T, p position, value any) string {
	t.Helper()
	args := m.put(p, value, m.mallory.fill(t))
	if p.kind == "Subscription" {
		return m.listen(t, p, args)
	}
	a := m.ask(t, p.root, args, nil, "")
	return fmt.Sprint(a.Status, " ", a.Raw)
}

// listen subscribes, makes something of the attacker's own happen, and gives the first thing said.
func (m *matrix) listen(t *testing.T, p position, args vars) string {
	t.Helper()
	socket := m.mallory.Dial(t)
	defer socket.Close()
	sub := socket.Subscribe(t, m.document(p.root, args, nil, ""), args)
	if p.typ.Name() == "Cursor" {
		createTask(t, m.mallory.client, vars{"title": "Something happens"})
	}
	payload, err := sub.Next(t.Context())
	said := fmt.Sprint(string(payload), err)
	m.requireSharp(t, said)
	return said
}

// leak names what of the victim's stands in a text, apart from the value that was sent.
func (m *matrix) leak(text string, sent any) string {
	for _, id := range m.victim.all() {
		if id != sent && strings.Contains(text, id) {
			return id
		}
	}
	if strings.Contains(text, secretWord) {
		return secretWord
	}
	return ""
}

var member = regexp.MustCompile(`"\w+":(null)?`)

// comparable is an answer without the value that was sent. Where it holds data of the attacker's
// own, which grow with each attack, it is which members there are and which of them are null.
func comparable(answer string, sent any) string {
	answer = regexp.MustCompile(`\b`+regexp.QuoteMeta(fmt.Sprint(sent))+`\b`).ReplaceAllString(answer, "SENT")
	if failed(answer) || !strings.Contains(answer, "{") {
		return answer
	}
	members := member.FindAllString(answer, -1)
	slices.Sort(members)
	return strings.Join(slices.Compact(members), " ")
}

func failed(answer string) bool {
	return strings.Contains(answer, `"errors":[`) || strings.HasPrefix(answer, `{"error":`)
}

// generous lets documents through that ask for everything at once, and counts what replies cost.
var generous = settings{
	"QUERY_MAX_COMPLEXITY": "1000000", "QUERY_MAX_DEPTH": "100", "QUERY_MAX_TOKENS": "100000",
	"LLM_PRICES": "rules=1:1", "TOKENS_PER_DAY": "1000000000",
}

const tick = 5 * time.Millisecond

// walls are the matrix's servers: each engine whole, and PostgreSQL with one wall taken away.
func walls(t *testing.T, test func(t *testing.T, b *bench, unpoliced bool)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, boot(t, testdb.SQLiteURL(t), generous), false)
	})
	for name, unpoliced := range map[string]bool{"postgres": false, "postgres without policies": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := boot(t, testdb.PostgresURL(t), generous, settings{"DB_ROW_SECURITY": "on"})
			test(t, b, unpoliced)
		})
	}
	t.Run("postgres without row security", func(t *testing.T) {
		t.Parallel()
		test(t, boot(t, testdb.PostgresURL(t), generous, settings{"DB_ROW_SECURITY": "off"}), false)
	})
}

// TestNobodySeesOrChangesWhatIsAnothers goes through every query, edge, argument, mutation, subscription and tool.
func TestNobodySeesOrChangesWhatIsAnothers(t *testing.T) {
	walls(t, func(t *testing.T, b *bench, unpoliced bool) {
		m := newMatrix(t, b, unpoliced)
		before := m.look(t)
		m.meet(t, "victim")
		rows := m.victim.rows(t, b)

		after := m.look(t)
		for what, answer := range after {
			require.Empty(t, m.leak(answer, nil), what)
			if !strings.HasPrefix(what, "Query.exportViewer") { // a second export has to wait
				require.Equal(t, before[what], answer, "the victim's coming changed %s", what)
			}
		}
		// What only reads comes first: later the attacker has things of the guessed names too.
		faults := append(m.attackAll(t, m.Query), m.attackTools(t, m.registry(), true)...)
		for _, coordinate := range m.nested() {
			faults = append(faults, m.attackNested(t, coordinate)...)
		}
		faults = append(faults, m.attackAll(t, m.Subscription, m.Mutation)...)
		faults = append(faults, m.attackTools(t, m.registry(), false)...)
		for _, fault := range faults {
			t.Error(fault)
		}
		require.Equal(t, rows, m.victim.rows(t, b), "the victim's rows changed")
		m.overhear(t)
	})
}

func (m *matrix) attackAll(t *testing.T, kinds ...*ast.Definition) (faults []string) {
	t.Helper()
	for _, r := range m.roots(kinds...) {
		for _, p := range m.positions(r) {
			faults = append(faults, m.attack(t, p)...)
		}
	}
	return faults
}

// attackNested gives the victim's cursors to an edge below the roots.
func (m *matrix) attackNested(t *testing.T, coordinate string) (faults []string) {
	t.Helper()
	edge, argument, _ := strings.Cut(strings.TrimSuffix(coordinate, ")"), "(")
	typeName, fieldName, _ := strings.Cut(edge, ".")
	definition := m.Types[typeName].Fields.ForName(fieldName).Arguments.ForName(argument)
	if kind := definition.Type.Name(); kind != "Cursor" {
		require.Contains(
			t,
			plain,
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
		for _, args := range m.own(t, r, one) {
			for _, cursor := range m.victim.cursors {
				document := m.document(r, args, extra, "$attack: Cursor")
				args["attack"] = cursor
				a := m.mallory.Try(t, document, args)
				m.requireSharp(t, a.Raw)
				if what := m.leak(a.Raw, cursor); what != "" {
					faults = append(faults, fmt.Sprintf("%s below %s shows %s", coordinate, r, what))
				}
				delete(args, "attack")
			}
		}
	}
	return faults
}

// overhear listens to everything that is the attacker's own while the victim is busy.
func (m *matrix) overhear(t *testing.T) {
	t.Helper()
	socket := m.mallory.Dial(t)
	var subs []*testclient.Subscription
	for _, r := range m.roots(m.Subscription) {
		args := vars{}
		if r.field.Arguments.ForName("conversationId") != nil {
			args["conversationId"] = m.mallory.conversation
		}
		subs = append(subs, socket.Subscribe(t, m.document(r, args, nil, ""), args))
	}
	m.victim.say(t, "", "Add a task to hide the "+secretWord)
	createTask(t, m.victim.client, vars{"title": secretWord})
	send(t, m.mallory.client, m.mallory.conversation, "Now end this test")
	createTask(t, m.mallory.client, vars{"title": "end this test"})
	for i, r := range m.roots(m.Subscription) {
		for last := false; !last; {
			payload, err := subs[i].Next(t.Context())
			require.NoError(t, err, r)
			require.Empty(t, m.leak(string(payload), nil), r)
			last = strings.Contains(string(payload), "end this test")
		}
	}
}
