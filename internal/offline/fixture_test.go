package offline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/offline"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// wednesday is the second part of the newest message, with the current time of all tests, in Berlin.
const wednesday = "<current-time>\nCurrent time: Wed 2026-11-25 11:35 +01:00 (Europe/Berlin), " +
	"weeks start on Monday\n</current-time>"

// database holds the tasks of all fixtures, each with a user of its own.
var database *store.DB

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "errand-offline-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	database, err = store.Open(context.Background(), store.Options{
		URL:            "sqlite:" + filepath.Join(dir, "errand.db"),
		Logger:         slog.New(slog.DiscardHandler),
		StatementCache: true,
	})
	if err != nil {
		return 1, err
	}
	defer func() { _ = database.Close() }()
	if err := database.EnsureSchema(context.Background(), true); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// item is a task of a fixture.
type item struct {
	Title, Description, DueOn, DueAt, Priority string
	Labels                                     []string
	Completed                                  bool
}

// testingT is the part of testing.T that the fixture uses; rapid's T implements it too.
type testingT interface {
	require.TestingT
	Helper()
}

// fixture is a task list with the real tools, and a conversation with the model.
type fixture struct {
	t        testingT
	user     string
	model    *offline.Model
	registry *tool.Registry
	tasks    *task.Service
	messages []llms.MessageContent
	// now is the second part of the newest message; empty for none.
	now string
	// calls are those of the last message, as "name {arguments}".
	calls []string
	ids   map[string]bool
	// broken has the tools of which every call fails, with the message.
	broken map[string]string
	// pending are the calls that wait for approval.
	pending []llms.ToolCall
	steps   int
	// turns counts the messages: what is undone together.
	turns int
}

var users int

func newFixture(t testingT, titles ...string) *fixture {
	users++
	name := fmt.Sprintf("user-%d", users)
	u := database.Client().User.Create().SetSubject(name).SetTimeZone("Europe/Berlin").
		SaveX(rule.System(context.Background()))
	w := &fixture{
		t:        t,
		user:     u.ID,
		model:    offline.New(offline.Options{}),
		registry: tool.NewRegistry(),
		tasks:    task.NewService(database.Client(), quota.Limits{}, func(string) {}),
		ids:      map[string]bool{},
		messages: []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, "You are Errand.")},
		now:      wednesday,
	}
	for _, title := range titles {
		w.put(item{Title: title})
	}
	return w
}

func (w *fixture) put(it item) {
	w.t.Helper()
	in := task.CreateTaskInput{Title: it.Title, Labels: it.Labels}
	if it.Description != "" {
		in.Description = &it.Description
	}
	if it.Priority != "" {
		p, err := enum.ParsePriority(it.Priority)
		require.NoError(w.t, err)
		in.Priority = &p
	}
	if it.DueOn != "" {
		in.DueOn = &it.DueOn
	}
	if it.DueAt != "" {
		at, err := time.Parse(time.RFC3339, it.DueAt)
		require.NoError(w.t, err)
		in.DueAt = &at
	}
	created, err := w.tasks.CreateTask(w.ctx(), in)
	require.NoError(w.t, err)
	if it.Completed {
		_, err = w.tasks.CompleteTask(w.ctx(), created.ID)
		require.NoError(w.t, err)
	}
}

// list returns the tasks outside the trash by number, as "1 Title [done]".
func (w *fixture) list() []string {
	w.t.Helper()
	result, err := w.registry.Call(w.ctx(), w.tasks, "list_tasks", `{"status":"all","sort":"number","limit":100}`)
	require.NoError(w.t, err)
	var list struct {
		Tasks []struct {
			Number    int
			Title     string
			Completed bool
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(result.JSON), &list))
	out := []string{}
	for _, t := range list.Tasks {
		line := fmt.Sprintf("%d %s", t.Number, t.Title)
		if t.Completed {
			line += " [done]"
		}
		out = append(out, line)
	}
	return out
}

var offeredTools = func() []llms.Tool {
	var ts []llms.Tool
	for _, t := range tool.NewRegistry().Tools() {
		ts = append(ts, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name}})
	}
	return ts
}()

// say runs a turn as the agent does and returns the reply. It checks the model's guarantees in every step. A plain yes
// or no decides on the calls that wait for approval, and the turn of these calls goes on.
func (w *fixture) say(message string) string {
	w.t.Helper()
	w.calls, w.steps = nil, 0
	w.turns++
	waiting := w.pending
	w.pending = nil
	if yes, plain := tool.ReadYesNo(message); plain && len(waiting) > 0 {
		w.messages = w.messages[:len(w.messages)-1] // the question
		w.decide(waiting, yes)
	} else {
		w.hear(message)
	}
	for {
		w.steps++
		require.LessOrEqual(w.t, w.steps, 8, "steps for %q", message)
		choice := w.step(offeredTools)
		reply := choice.Content
		if len(choice.ToolCalls) > 0 {
			w.do(choice.ToolCalls)
			require.LessOrEqual(w.t, len(w.calls), 16, "calls for %q", message)
			if len(w.pending) == 0 {
				continue
			}
			reply = "This needs your approval.\n\nShall I go ahead? Answer “yes” or “no”."
		}
		w.messages = append(w.messages, llms.TextParts(llms.ChatMessageTypeAI, reply))
		return reply
	}
}

// ctx returns a context with the user as the viewer. The tools act as those of an MCP client, whose changes of one turn
// have the same batch.
func (w *fixture) ctx() context.Context {
	return viewer.NewContext(context.Background(), viewer.Viewer{
		UserID:  w.user,
		Actor:   viewer.ActorMCP,
		Client:  "test",
		BatchID: fmt.Sprintf("batch_%d", w.turns),
	})
}

// hear appends a message of the user. The newest message alone has the time.
func (w *fixture) hear(message string) {
	for i, m := range w.messages {
		if m.Role == llms.ChatMessageTypeHuman {
			w.messages[i].Parts = m.Parts[:1]
		}
	}
	said := llms.TextParts(llms.ChatMessageTypeHuman, message)
	if w.now != "" {
		said.Parts = append(said.Parts, llms.TextContent{Text: w.now})
	}
	w.messages = append(w.messages, said)
}

// step calls the model once.
func (w *fixture) step(tools []llms.Tool) *llms.ContentChoice {
	w.t.Helper()
	var streamed strings.Builder
	r, err := w.model.GenerateContent(context.Background(), w.messages, llms.WithTools(tools),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			require.NotEmpty(w.t, chunk)
			streamed.Write(chunk)
			return nil
		}))
	require.NoError(w.t, err)
	require.Len(w.t, r.Choices, 1)
	c := r.Choices[0]
	require.Equal(w.t, c.Content, streamed.String())
	require.NotEqual(w.t, c.Content == "", len(c.ToolCalls) == 0, "text or calls, never both")
	require.True(w.t, utf8.ValidString(c.Content))
	for _, key := range []string{"InputTokens", "OutputTokens", "CachedTokens"} {
		require.IsType(w.t, 0, c.GenerationInfo[key])
	}
	return c
}

// do executes the calls of a step and records them. Those that need approval wait.
func (w *fixture) do(calls []llms.ToolCall) {
	w.t.Helper()
	asked := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	var results []llms.MessageContent
	for _, c := range calls {
		require.False(w.t, w.ids[c.ID], "id %s used twice", c.ID)
		w.ids[c.ID] = true
		w.calls = append(w.calls, c.FunctionCall.Name+" "+c.FunctionCall.Arguments)
		asked.Parts = append(asked.Parts, c)
		var result string
		if needsApproval(c) {
			w.pending = append(w.pending, c)
			result = failedResult("AWAITING_APPROVAL", "This was not done: it waits for the user's approval.")
		} else {
			result = w.call(c.FunctionCall.Name, c.FunctionCall.Arguments)
		}
		results = append(results, resultMessage(c, result))
	}
	w.messages = append(append(w.messages, asked), results...)
}

// needsApproval reports whether the server would ask before the call, going by the tasks that the arguments name.
func needsApproval(c llms.ToolCall) bool {
	var args struct{ Tasks []any }
	_ = json.Unmarshal([]byte(c.FunctionCall.Arguments), &args)
	switch c.FunctionCall.Name {
	case "delete_task":
		return len(args.Tasks) > 1
	case "complete_task", "reopen_task", "update_task":
		return len(args.Tasks) > 5
	}
	return false
}

// decide replaces the results of the calls that wait for approval.
func (w *fixture) decide(waiting []llms.ToolCall, yes bool) {
	for _, c := range waiting {
		result := failedResult("REJECTED", "The user did not approve this.")
		if yes {
			result = w.call(c.FunctionCall.Name, c.FunctionCall.Arguments)
		}
		for i, m := range w.messages {
			if r, ok := m.Parts[0].(llms.ToolCallResponse); ok && r.ToolCallID == c.ID {
				w.messages[i] = resultMessage(c, result)
			}
		}
	}
}

func resultMessage(c llms.ToolCall, result string) llms.MessageContent {
	return llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
		llms.ToolCallResponse{ToolCallID: c.ID, Name: c.FunctionCall.Name, Content: result},
	}}
}

func failedResult(code, message string) string {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "message": message}})
	return string(b)
}

// call calls a tool. The model's arguments must be valid.
func (w *fixture) call(name, arguments string) string {
	w.t.Helper()
	if message := w.broken[name]; message != "" {
		return failedResult("SERVICE_UNAVAILABLE", message)
	}
	result, err := w.registry.Call(w.ctx(), w.tasks, name, arguments)
	require.NoError(w.t, err)
	require.NotContains(w.t, result.JSON, "The argument", "%s %s", name, arguments)
	require.NotContains(w.t, result.JSON, "unclear: ", "%s %s", name, arguments)
	return result.JSON
}

var _ testingT = (*testing.T)(nil)

func (w *fixture) complete(number int) {
	w.t.Helper()
	w.call("complete_task", fmt.Sprintf(`{"number":%d}`, number))
}
