package providertest

import (
	"strings"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// fieldArguments are arguments of add_task as models and servers send them, in fragments, and what they mean.
var fieldArguments = map[string]struct {
	fragments []string
	want      string
}{
	"in pieces":              {[]string{`{"ti`, `tle":"a`, ` b"}`}, `{"title":"a b"}`},
	"empty object first":     {[]string{`{}`, `{"title":`, `"a b"}`}, `{"title":"a b"}`},
	"empty object last":      {[]string{`{"title":`, `"a b"}`, `{}`}, `{"title":"a b"}`},
	"empty text first":       {[]string{``, `{"title":"a b"}`}, `{"title":"a b"}`},
	"null first":             {[]string{`null`, `{"title":"a b"}`}, `{"title":"a b"}`},
	"whole object twice":     {[]string{`{"title":"a b"}`, `{"title":"a b"}`}, `{"title":"a b"}`},
	"pieces, then the whole": {[]string{`{"title"`, `:"a b"}`, `{"title": "a b"}`}, `{"title":"a b"}`},
	"growing text":           {[]string{`{"ti`, `{"title":"a`, `{"title":"a b"}`}, `{"title":"a b"}`},
	"growing objects": {
		[]string{`{}`, `{"title":"a"}`, `{"title":"a b"}`, `{"title":"a b","labels":["x"]}`},
		`{"title":"a b","labels":["x"]}`,
	},
	"encoded as a string":  {[]string{`"{\"title\":`, `\"a b\"}"`}, `{"title":"a b"}`},
	"encoded twice":        {[]string{`"\"{\\\"title\\\":\\\"a b\\\"}\""`}, `{"title":"a b"}`},
	"fenced":               {[]string{"```json\n", `{"title":"a b"}`, "\n```"}, `{"title":"a b"}`},
	"fenced in one line":   {[]string{"```json", `{"title":"a b"}`, "```"}, `{"title":"a b"}`},
	"commas at the ends":   {[]string{`{"title":"a, }b",`, `"labels":["x",], }`}, `{"title":"a, }b","labels":["x"]}`},
	"a line break inside":  {[]string{"{\"title\":\"a\nb\"}"}, `{"title":"a\nb"}`},
	"a list of one":        {[]string{`[{"title":"a b"}]`}, `{"title":"a b"}`},
	"a token behind":       {[]string{`{"title":"a b"}`, `<|im_end|>`}, `{"title":"a b"}`},
	"a bracket too many":   {[]string{`{"title":"a b"}}`}, `{"title":"a b"}`},
	"a mark of byte order": {[]string{"\uFEFF", `{"title":"a b"}`}, `{"title":"a b"}`},
	"nothing":              {nil, `{}`},
	"empty text":           {[]string{``}, `{}`},
	"an empty string":      {[]string{`""`}, `{}`},
	"null":                 {[]string{`null`}, `{}`},
}

// unusableArguments are arguments that mean no object.
var unusableArguments = map[string][]string{
	"cut off":      {`{"title":"a`},
	"a number":     {`17`},
	"prose":        {`the title is a b`},
	"a list":       {`["a"]`},
	"two objects":  {`{"title":"a"}`, `{"title":"b"}`},
	"half, object": {`{"title":`, `{"title":"b"}`},
}

// fieldNames are names that mean the tool add_task.
var fieldNames = []string{
	"functions.add_task", "default_api.add_task", "add_task<|channel|>commentary", "add_task<|channel|>json",
	"add-task", "addTask", "AddTask", "add task", " add_task ", "add_task\n", "functions.add_task:0", "add_task:3",
	"functions/add_task", "mcp__errand__add_task", `"add_task"`, "<|tool|>add_task", "add_task()", "ADD_TASK",
	"errand:add_task",
}

func (s Suite) testCalls(t *testing.T) {
	oneCall := func(t *testing.T, frames []string) llms.ToolCall {
		t.Helper()
		e := s.newEnvironment(t, 0, Stream(frames...))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Len(t, c.ToolCalls, 1)
		require.Equal(t, llm.StopToolCalls, c.StopReason)
		return c.ToolCalls[0]
	}
	for name, c := range fieldArguments {
		if s.WholeArguments && name == "growing text" {
			continue
		}
		t.Run("arguments/"+name, func(t *testing.T) {
			call := oneCall(t, s.ToolCall("c1", "add_task", c.fragments...))
			require.Equal(t, "add_task", call.FunctionCall.Name)
			require.JSONEq(t, c.want, call.FunctionCall.Arguments)
		})
	}
	for name, fragments := range unusableArguments {
		t.Run("arguments/unusable/"+name, func(t *testing.T) {
			call := oneCall(t, s.ToolCall("c1", "add_task", fragments...))
			require.Equal(t, "add_task", call.FunctionCall.Name)
			require.Contains(t, call.FunctionCall.Arguments, strings.TrimSpace(fragments[0]))
		})
	}
	for _, name := range fieldNames {
		t.Run("name/"+name, func(t *testing.T) {
			require.Equal(t, "add_task", oneCall(t, s.ToolCall("c1", name, `{}`)).FunctionCall.Name)
		})
	}
	for name, want := range map[string]string{
		"delete_everything": "delete_everything", "task": "task", "list_tasks_add_task": "list_tasks_add_task", "": "unknown",
	} {
		t.Run("unknown name/"+name, func(t *testing.T) {
			require.Equal(t, want, oneCall(t, s.ToolCall("c1", name, `{}`)).FunctionCall.Name)
		})
	}
	for name, id := range map[string]string{
		"long": strings.Repeat("x", 5000), "empty": "", "NUL": "a\x00b", "odd": "functions.add_task:0 äöü",
	} {
		t.Run("id/"+name, func(t *testing.T) {
			got := oneCall(t, s.ToolCall(id, "add_task", `{}`)).ID
			require.NotEmpty(t, got)
			require.LessOrEqual(t, len(got), 255)
			require.NotContains(t, got, "\x00")
		})
	}
}

func (s Suite) testUsage(t *testing.T) {
	for name, c := range map[string]struct {
		input, output string
		wantIn        int
		wantOut       int
		logged        bool
	}{
		"plain":      {`12`, `7`, 12, 7, false},
		"floats":     {`12.0`, `7.0`, 12, 7, true},
		"strings":    {`"12"`, `"7"`, 12, 7, true},
		"null":       {`null`, `null`, 0, 0, false},
		"exponent":   {`1.2e1`, `7e0`, 12, 7, true},
		"negative":   {`-12`, `7`, 0, 7, true},
		"huge":       {`1000000000000000000`, `7`, 0, 0, true},
		"huger":      {`1e400`, `7`, 0, 0, true},
		"no numbers": {`"many"`, `{}`, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := s.newEnvironment(t, 0, Stream(s.Usage(c.input, c.output)...))
			for range 2 {
				choice, err := e.generate(t.Context())
				require.NoError(t, err)
				require.Equal(t, "Hello", choice.Content)
				require.Equal(t, c.wantIn, choice.GenerationInfo[llm.InfoInputTokens])
				if c.wantIn > 0 || name == "null" { // Anthropic's format reports both counts apart
					require.Equal(t, c.wantOut, choice.GenerationInfo[llm.InfoOutputTokens])
				}
			}
			require.Equal(t, c.logged, strings.Contains(e.log.String(), "token counts"))
			require.LessOrEqual(t, strings.Count(e.log.String(), "token counts"), 1, "logged once")
		})
	}
}

// testFraming plays streams whose bytes are framed differently.
func (s Suite) testFraming(t *testing.T) {
	all := strings.Join(s.ToolCalls, "")
	cr := strings.ReplaceAll(all, "\n", "\r")
	for name, step := range map[string]Step{
		"byte order mark":           Stream("\uFEFF" + all),
		"byte order mark in pieces": Stream(append(strings.Split("\uFEFF", ""), s.ToolCalls...)...),
		"byte order mark in events": Stream(strings.ReplaceAll(all, "data: ", "data: \uFEFF")),
		"carriage returns":          Stream(cr),
		"carriage returns by bytes": Stream(strings.Split(cr, "")...),
		"CRLF by bytes":             Stream(strings.Split(strings.ReplaceAll(all, "\n", "\r\n"), "")...),
		"no blank after data:":      Stream(strings.ReplaceAll(all, "data: ", "data:")),
		"blank lines first":         Stream("\n\r\n\n" + all),
		"data in several lines":     Stream(strings.ReplaceAll(all, `data: {"`, "data: {\ndata: \"")),
		"empty error with each":     Stream(strings.ReplaceAll(all, `data: {`, `data: {"error":"",`)),
		"error null":                Stream(strings.ReplaceAll(all, `data: {`, `data: {"error":null,`)),
		"error {}":                  Stream(strings.ReplaceAll(all, `data: {`, `data: {"error": {},`)),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := s.newEnvironment(t, 0, step).generate(t.Context())
			require.NoError(t, err)
			requireCalls(t, c)
		})
	}
	t.Run("byte order mark of a body", func(t *testing.T) {
		c, err := s.newEnvironment(t, 0, JSON(200, "\uFEFF"+s.UnstreamedText)).generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello", c.Content)
	})
}
