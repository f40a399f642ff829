package offline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"errand/internal/offline"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// wednesday is the current time of all tests, in Berlin.
const wednesday = "2026-11-25T11:35:00+01:00"

// item is a task in a tool result.
type item struct {
	Number      int      `json:"number"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Completed   bool     `json:"completed"`
	Priority    string   `json:"priority"`
	DueOn       string   `json:"due_on,omitempty"`
	DueAt       string   `json:"due_at,omitempty"`
	Labels      []string `json:"labels,omitempty"`
}

// testingT is the part of testing.T that the fixture uses; rapid's T implements it too.
type testingT interface {
	require.TestingT
	Helper()
}

// fixture is a task list with its tools, and a conversation with the model.
type fixture struct {
	t        testingT
	model    *offline.Model
	tasks    []item
	next     int
	messages []llms.MessageContent
	// calls are those of the last message, as "name {arguments}".
	calls []string
	ids   map[string]bool
	// broken makes every tool call fail.
	broken map[string]string
	steps  int
}

func newFixture(t testingT, titles ...string) *fixture {
	w := &fixture{t: t, model: offline.New(offline.Options{}), next: 1, ids: map[string]bool{}}
	w.messages = []llms.MessageContent{
		llms.TextParts(
			llms.ChatMessageTypeSystem,
			"You are Errand.\nCurrent time: "+wednesday+" (Europe/Berlin), weeks start on Monday\n\n- Be brief.",
		),
	}
	for _, title := range titles {
		w.put(item{Title: title})
	}
	return w
}

func (w *fixture) put(it item) {
	if it.Priority == "" {
		it.Priority = "none"
	}
	it.Number = w.next
	w.next++
	w.tasks = append(w.tasks, it)
}

var offeredTools = func() []llms.Tool {
	var ts []llms.Tool
	for _, n := range []string{"add_task", "list_tasks", "complete_task", "reopen_task", "update_task", "delete_task"} {
		ts = append(ts, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: n}})
	}
	return ts
}()

// say runs a turn as the agent does and returns the reply. It checks the model's guarantees in every step.
func (w *fixture) say(message string) string {
	w.t.Helper()
	w.calls, w.steps = nil, 0
	w.messages = append(w.messages, llms.TextParts(llms.ChatMessageTypeHuman, message))
	for {
		w.steps++
		require.LessOrEqual(w.t, w.steps, 8, "steps for %q", message)
		choice := w.step(offeredTools)
		if len(choice.ToolCalls) == 0 {
			w.messages = append(w.messages, llms.TextParts(llms.ChatMessageTypeAI, choice.Content))
			return choice.Content
		}
		w.do(choice.ToolCalls)
		require.LessOrEqual(w.t, len(w.calls), 16, "calls for %q", message)
	}
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

// do executes tool calls and records them.
func (w *fixture) do(calls []llms.ToolCall) {
	w.t.Helper()
	asked := llms.MessageContent{Role: llms.ChatMessageTypeAI}
	var results []llms.MessageContent
	for _, c := range calls {
		require.False(w.t, w.ids[c.ID], "id %s used twice", c.ID)
		w.ids[c.ID] = true
		args := checkArguments(w.t, c.FunctionCall.Name, c.FunctionCall.Arguments)
		w.calls = append(w.calls, c.FunctionCall.Name+" "+c.FunctionCall.Arguments)
		out, err := json.Marshal(w.call(c.FunctionCall.Name, args))
		require.NoError(w.t, err)
		asked.Parts = append(asked.Parts, c)
		results = append(results, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
			llms.ToolCallResponse{ToolCallID: c.ID, Name: c.FunctionCall.Name, Content: string(out)},
		}})
	}
	w.messages = append(append(w.messages, asked), results...)
}

type object = map[string]any

func failedResult(code, message string) object {
	return object{"error": object{"code": code, "message": message}}
}

func (w *fixture) call(name string, args object) any {
	if message := w.broken[name]; message != "" {
		return failedResult("SERVICE_UNAVAILABLE", message)
	}
	switch name {
	case "add_task":
		it := item{Number: w.next, Priority: "none"}
		assign(&it, args)
		w.next++
		w.tasks = append(w.tasks, it)
		return object{"task": it}
	case "list_tasks":
		return w.list(args)
	}
	number := int(args["number"].(float64))
	at := slices.IndexFunc(w.tasks, func(it item) bool { return it.Number == number })
	if at < 0 {
		return failedResult("NOT_FOUND", fmt.Sprintf("There is no task %d.", number))
	}
	it := &w.tasks[at]
	before := *it
	switch name {
	case "complete_task", "reopen_task":
		it.Completed = name == "complete_task"
	case "update_task":
		assign(it, args)
	case "delete_task":
		w.tasks = slices.Delete(w.tasks, at, at+1)
		return object{"task": before}
	}
	return object{"task": *it, "changed": fmt.Sprint(before) != fmt.Sprint(*it)}
}

// assign sets the fields of a task from the arguments of add_task or update_task.
func assign(it *item, args object) {
	str := func(name string, into *string) {
		if v, given := args[name]; given {
			*into, _ = v.(string)
		}
	}
	str("title", &it.Title)
	str("description", &it.Description)
	str("priority", &it.Priority)
	if _, on := args["due_on"]; on {
		it.DueAt = ""
	}
	if _, at := args["due_at"]; at {
		it.DueOn = ""
	}
	str("due_on", &it.DueOn)
	str("due_at", &it.DueAt)
	if v, given := args["labels"]; given {
		it.Labels = nil
		list, _ := v.([]any)
		for _, l := range list {
			it.Labels = append(it.Labels, l.(string))
		}
	}
	empty, _ := args["clear"].([]any)
	for _, field := range empty {
		switch field {
		case "due":
			it.DueOn, it.DueAt = "", ""
		case "description":
			it.Description = ""
		case "labels":
			it.Labels = nil
		}
	}
}

func (w *fixture) list(args object) any {
	limit := 50
	if l, ok := args["limit"].(float64); ok {
		limit = int(l)
	}
	found, total := []item{}, 0
	for _, it := range w.tasks {
		if !fits(it, args) {
			continue
		}
		if total++; len(found) < limit {
			found = append(found, it)
		}
	}
	return object{"tasks": found, "total": total}
}

func fits(it item, args object) bool {
	for _, word := range strings.Fields(text(args["search"])) {
		if !strings.Contains(strings.ToLower(it.Title+"\n"+it.Description), strings.ToLower(word)) {
			return false
		}
	}
	due := it.DueOn
	if at, err := time.Parse(time.RFC3339, it.DueAt); err == nil {
		due = at.Format(time.DateOnly)
	}
	from, to, label := text(args["due_from"]), text(args["due_to"]), text(args["label"])
	switch {
	case text(args["status"]) == "pending" && it.Completed, text(args["status"]) == "completed" && !it.Completed:
	case from+to != "" && due == "", from > due, to != "" && to < due:
	case label != "" && !slices.Contains(it.Labels, label):
	case args["priority"] != nil && args["priority"] != it.Priority:
	default:
		return true
	}
	return false
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

var dayForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// checkArguments validates a call against the registry's schemas.
func checkArguments(t testingT, name, arguments string) object {
	t.Helper()
	var args object
	require.NoError(t, json.Unmarshal([]byte(arguments), &args), arguments)
	allowed := map[string]string{
		"add_task":    "title description priority due_on due_at labels",
		"update_task": "number title description priority due_on due_at labels clear",
		"list_tasks":  "status search label priority due_from due_to limit", "complete_task": "number",
		"reopen_task": "number", "delete_task": "number",
	}
	names, known := allowed[name]
	require.True(t, known, "no tool %s", name)
	for k, v := range args {
		require.Contains(t, strings.Fields(names), k, arguments)
		checkValue(t, k, v)
	}
	switch name {
	case "add_task":
		require.Contains(t, args, "title")
	case "list_tasks":
	default:
		require.Contains(t, args, "number")
	}
	require.False(t, args["due_on"] != nil && args["due_at"] != nil, "a day and an instant: %s", arguments)
	return args
}

func checkValue(t testingT, name string, v any) {
	t.Helper()
	length := func(least, most int) {
		s, ok := v.(string)
		require.True(t, ok, "%s: %v", name, v)
		require.True(
			t,
			utf8.RuneCountInString(s) >= least && utf8.RuneCountInString(s) <= most,
			"%s: %d characters",
			name,
			utf8.RuneCountInString(s),
		)
		require.Equal(t, strings.TrimSpace(s), s, name)
	}
	switch name {
	case "clear":
		require.Subset(t, []any{"due", "description", "labels"}, v)
		require.NotEmpty(t, v)
	case "number", "limit":
		n, ok := v.(float64)
		require.True(t, ok && n == float64(int32(n)) && n >= 1 && (name == "number" || n <= 100), "%s: %v", name, v)
	case "title":
		length(1, 200)
		require.NotContains(t, v, "\n")
	case "description":
		length(1, 10000)
	case "search":
		length(1, 200)
	case "label":
		length(1, 50)
	case "status":
		require.Contains(t, []string{"all", "pending", "completed"}, v)
	case "priority":
		require.Contains(t, []string{"none", "low", "medium", "high", "urgent"}, v)
	case "due_on", "due_from", "due_to":
		require.Regexp(t, dayForm, v)
		_, err := time.Parse(time.DateOnly, v.(string))
		require.NoError(t, err)
	case "due_at":
		_, err := time.Parse(time.RFC3339, v.(string))
		require.NoError(t, err)
	case "labels":
		require.LessOrEqual(t, len(v.([]any)), 20)
		require.NotEmpty(t, v)
		for _, l := range v.([]any) {
			v = l
			length(1, 50)
		}
	}
}

var _ testingT = (*testing.T)(nil)
