package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	"errand/ent/rule"
	"errand/ent/toolcall"
	"errand/internal/agent"
	"errand/internal/chat"
	"errand/internal/ids"
	"errand/internal/llm"
	"errand/internal/offline"
	"errand/internal/price"
	"errand/internal/quota"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/testdb"
	"errand/internal/tool"
	"errand/internal/usage"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// patience bounds the wait for an expected event.
const patience = time.Minute

// request is a model request as scripts see it.
type request struct {
	// now is the part of the newest message with the time.
	system, said, now string
	// results are the tool results since the user's last message, as JSON.
	results  []string
	offered  bool
	messages []llms.MessageContent
}

// scripted is a model that answers from a script.
type scripted struct {
	script func(a request) *llms.ContentChoice
	// plain omits the provider name, like the built-in model.
	plain bool

	mu   sync.Mutex
	seen []request
}

func (m *scripted) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, o...)
}

func (m *scripted) GenerateContent(
	ctx context.Context,
	messages []llms.MessageContent,
	options ...llms.CallOption,
) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, option := range options {
		option(&o)
	}
	a := request{offered: len(o.Tools) > 0 && o.ToolChoice != "none", messages: messages}
	for _, one := range messages {
		text := textOf(one)
		switch one.Role {
		case llms.ChatMessageTypeSystem:
			a.system = text
		case llms.ChatMessageTypeHuman:
			a.said, a.results = textOf(llms.MessageContent{Parts: one.Parts[:1]}), nil
			a.now = text[len(a.said):]
		case llms.ChatMessageTypeTool:
			a.results = append(a.results, one.Parts[0].(llms.ToolCallResponse).Content)
		}
	}
	m.mu.Lock()
	m.seen = append(m.seen, a)
	m.mu.Unlock()
	c := m.script(a)
	if c == nil {
		return nil, &llm.Error{Kind: llm.KindBadRequest, Provider: "script"}
	}
	if o.StreamingFunc != nil && c.Content != "" {
		if err := o.StreamingFunc(ctx, []byte(c.Content)); err != nil {
			return nil, err
		}
	}
	if c.GenerationInfo == nil {
		c.GenerationInfo = map[string]any{llm.InfoInputTokens: 11, llm.InfoOutputTokens: 7, llm.InfoCachedTokens: 3}
	}
	if !m.plain {
		c.GenerationInfo[llm.InfoProvider], c.GenerationInfo[llm.InfoModel] = "script", "one"
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{c}}, nil
}

func (m *scripted) requests() []request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]request(nil), m.seen...)
}

func textOf(m llms.MessageContent) string {
	var b strings.Builder
	for _, p := range m.Parts {
		if t, ok := p.(llms.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

func answerText(text string) *llms.ContentChoice { return &llms.ContentChoice{Content: text} }

// toolUse is a tool call of a script.
type toolUse struct{ name, arguments string }

func callTools(text string, all ...toolUse) *llms.ContentChoice {
	c := answerText(text)
	for i, u := range all {
		c.ToolCalls = append(c.ToolCalls, llms.ToolCall{
			ID: fmt.Sprintf("c%d_%s", i, ids.New("x")()), Type: "function",
			FunctionCall: &llms.FunctionCall{Name: u.name, Arguments: u.arguments},
		})
	}
	return c
}

// fixture is one user with an agent.
type fixture struct {
	t      testing.TB
	db     *store.DB
	ctx    context.Context
	chat   *chat.Service
	tasks  *task.Service
	tools  *tool.Registry
	ledger *usage.Ledger
	ended  chan run.Job
	talk   *string
}

// settings are the options of a fixture.
type settings struct {
	limits      agent.Limits
	usageLimits usage.Limits
	prices      price.List
	titles      bool
	offline     bool
	clock       func() time.Time
}

func newFixture(t testing.TB, db *store.DB, model llms.Model, s settings) *fixture {
	t.Helper()
	w := &fixture{t: t, db: db, ended: make(chan run.Job, 1000)}
	u, err := db.Client().User.Create().SetSubject(ids.New("sub")()).Save(rule.System(context.Background()))
	require.NoError(t, err)
	w.ctx = viewer.NewContext(context.Background(), viewer.Viewer{UserID: u.ID})
	w.tasks = task.NewService(db.Client(), quota.Limits{}, func(string) {})
	w.tools = tool.NewRegistry()
	w.ledger = usage.New(usage.Options{Client: db.Client(), Prices: s.prices, Limits: s.usageLimits, Now: s.clock})
	hub := stream.NewHub()
	quiet := slog.New(slog.DiscardHandler)
	engine, err := run.NewEngine(
		run.Options{Client: db.Client(), SQL: db.SQL(), Observer: w, Logger: quiet, SweepInterval: 50 * time.Millisecond},
	)
	require.NoError(t, err)
	w.chat = chat.NewService(
		db.Client(),
		hub,
		engine,
		w.tasks,
		chat.Limits{MessagesPerMinute: 100_000, CheckBudget: w.ledger.Admit},
	)
	setDefault(&s.limits.Steps, 8)
	setDefault(&s.limits.ToolCalls, 16)
	setDefault(&s.limits.Turns, 20)
	setDefault(&s.limits.Context, 32_000)
	setDefault(&s.limits.Changes, 5)
	s.limits.Time = time.Minute
	a := agent.New(agent.Options{
		Client: db.Client(), Runs: engine, Hub: hub, Tasks: w.tasks, Tools: w.tools, Ledger: w.ledger, Model: model,
		ModelName: "script/one", Offline: s.offline, Titles: s.titles, Limits: s.limits, Logger: quiet,
		ApprovalTTL: time.Hour,
	})
	require.NoError(t, engine.Start(context.Background(), a.Handle))
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		require.NoError(t, engine.Stop(ctx))
		hub.Close()
	})
	return w
}

func setDefault(into *int, v int) {
	if *into == 0 {
		*into = v
	}
}

// newOfflineFixture is a fixture with the built-in model.
func newOfflineFixture(t testing.TB, db *store.DB) *fixture {
	return newFixture(t, db, offline.New(offline.Options{}), settings{offline: true})
}

// AttemptStarted implements run.Observer.
func (w *fixture) AttemptStarted(run.Job, time.Duration) {}

// AttemptEnded implements run.Observer.
func (w *fixture) AttemptEnded(job run.Job, _ run.AttemptResult, _ time.Duration) { w.ended <- job }

// send sends a message and waits for the reply and the post-run work.
func (w *fixture) send(content string) *ent.Message {
	w.t.Helper()
	turn, err := w.chat.SendMessage(w.ctx, chat.SendMessageInput{ConversationID: w.talk, Content: content})
	require.NoError(w.t, err)
	w.talk = &turn.Conversation.ID
	for {
		select {
		case job := <-w.ended:
			m, err := w.db.Client().Message.Query().Where(message.ID(turn.AssistantMessage.ID)).
				WithToolCalls(func(q *ent.ToolCallQuery) { q.Order(toolcall.BySeq()) }).Only(w.ctx)
			require.NoError(w.t, err)
			if job.MessageID == m.ID && m.Status.Terminal() {
				return m
			}
		case <-time.After(patience):
			require.FailNow(w.t, "the reply did not end")
		}
	}
}

func (w *fixture) conversation() *ent.Conversation {
	w.t.Helper()
	c, err := w.db.Client().Conversation.Get(w.ctx, *w.talk)
	require.NoError(w.t, err)
	return c
}

// createTasks stores tasks, numbered from 1.
func (w *fixture) createTasks(titles ...string) {
	w.t.Helper()
	for _, title := range titles {
		_, err := w.tasks.CreateTask(w.ctx, task.CreateTaskInput{Title: title})
		require.NoError(w.t, err)
	}
}

// titles is the titles of the tasks outside the trash, with a mark before those done.
func (w *fixture) titles() []string {
	w.t.Helper()
	result, err := w.tools.Call(w.ctx, w.tasks, "list_tasks", `{"limit":100,"status":"all","sort":"number"}`)
	require.NoError(w.t, err)
	var shown struct {
		Tasks []struct {
			Title     string
			Completed bool
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(result.JSON), &shown))
	out := []string{}
	for _, t := range shown.Tasks {
		if t.Completed {
			t.Title = "✓" + t.Title
		}
		out = append(out, t.Title)
	}
	return out
}

// eachEngine runs a test on both engines.
func eachEngine(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, test)
}

var _ = enum.MessageCompleted
