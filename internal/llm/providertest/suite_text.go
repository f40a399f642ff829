package providertest

import (
	"strings"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
)

// fieldTexts are texts of responses as models and servers send them, and what is shown of them.
var fieldTexts = map[string]struct{ text, want string }{
	"think":            {"<think>The user wants food.</think>Added.", "Added."},
	"think with lines": {"<think>\nFood?\n\n- maybe\n</think>\n\nAdded.\n", "Added.\n"},
	"think empty":      {"<think>\n\n</think>\n\nAdded.", "Added."},
	"think twice":      {"<think>a</think>\n<think>b</think>Added.", "Added."},
	"blank first":      {"\n \n<think>a</think>Added.", "Added."},
	"capitals":         {"<Think>a</THINK>Added.", "Added."},
	"thinking":         {"<thinking>a < b</thinking> Added.", "Added."},
	"thought":          {"<thought>a</thought>\nAdded.", "Added."},
	"reasoning":        {"<reasoning>a</reasoning>Added.", "Added."},
	"seed":             {"<seed:think>a</seed:think>Added.", "Added."},
	"Magistral":        {"[THINK]a [1] b[/THINK]Added.", "Added."},
	"Kimi":             {"◁think▷a◁/think▷Added.", "Added."},
	"Command A":        {"<|START_THINKING|>a<|END_THINKING|>Added.", "Added."},
	"gpt-oss": {
		"<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Added.<|return|>",
		"Added.",
	},
	"gpt-oss without ends": {"<|channel|>analysis<|message|>a<|channel|>final<|message|>Added.", "Added."},
	"gpt-oss commentary":   {"<|channel|>commentary<|message|>Added.<|end|>", "Added."},
	"Gemma":                {"<|channel>thought\na\n<channel|>Added.", "Added."},
	"a tag inside":         {"<think>they said <think> and `</thinking>` again</think>Added.", "Added."},
	"between paragraphs":   {"On it.\n\n<think>a</think>\nAdded.", "On it.\n\nAdded."},
	"literal in a sentence": {
		"Models write <think> and </think> around it.",
		"Models write <think> and </think> around it.",
	},
	"literal in code":      {"Use `<think>` or `</think>`.", "Use `<think>` or `</think>`."},
	"literal at the start": {"`<think>` starts it.", "`<think>` starts it."},
	"literal in a block": {
		"Like so:\n```\n<think>\na\n</think>\n```\nDone.",
		"Like so:\n```\n<think>\na\n</think>\n```\nDone.",
	},
	"literal in a JSON block": {
		"Like so:\n```json\n{\"a\": \"</think>\"}\n```\nDone.",
		"Like so:\n```json\n{\"a\": \"</think>\"}\n```\nDone.",
	},
	"literal in quotes": {"The tag \"</think>\" ends it.", "The tag \"</think>\" ends it."},
	"less than": {
		"1 < 2 <b>bold</b> <thin> [x] [think about it]",
		"1 < 2 <b>bold</b> <thin> [x] [think about it]",
	},
	"half a tag at the end": {"It is <thi", "It is <thi"},
	"links and boxes": {
		"[Task 1](x)\n- [ ] a\n[ ] b\n[add_task] c",
		"[Task 1](x)\n- [ ] a\n[ ] b\n[add_task] c",
	},
	"an answer in braces": {"{not JSON}", "{not JSON}"},
	"an answer in JSON":   {"{\"open\": 2}", "{\"open\": 2}"},
	"the schema of a tool": {
		`{"name":"add_task","description":"Adds.","parameters":{}}`,
		`{"name":"add_task","description":"Adds.","parameters":{}}`,
	},
	"a tool by name":            {"add_task adds a task.", "add_task adds a task."},
	"JSON of another tool":      {`{"name":"launch","arguments":{}}`, `{"name":"launch","arguments":{}}`},
	"a JSON block of an answer": {"```json\n{\"open\": 2}\n```", "```json\n{\"open\": 2}\n```"},
	"blank lines in code":       {"```\na\n\n  b\n```\n", "```\na\n\n  b\n```\n"},
}

// unopenedTexts are texts whose reasoning has no opening tag.
var unopenedTexts = map[string]struct{ text, want string }{
	"like reasoning":   {"Okay, the user wants food. I add it.</think>Added.", "Added."},
	"with lines":       {"Okay, the user wants food.\n\nI add it.\n</think>\n\nAdded.", "Added."},
	"only the tag":     {"</think>\n\nAdded.", "Added."},
	"not recognisable": {"Food is wanted here.\n</think>\n\nAdded.", "Added."},
	"Magistral":        {"Food is wanted here.[/THINK]Added.", "Added."},
}

// writtenCalls are tool calls written as text that mean add_task {"title":"a b"}.
var writtenCalls = map[string]string{
	"Hermes":            "<tool_call>\n{\"name\": \"add_task\", \"arguments\": {\"title\": \"a b\"}}\n</tool_call>",
	"Hermes, not ended": "<tool_call>{\"name\": \"add_task\", \"arguments\": {\"title\": \"a b\"}}",
	"Hermes, encoded":   `<tool_call>{"name": "add_task", "arguments": "{\"title\": \"a b\"}"}</tool_call>`,
	"after reasoning": "<think>\nI call it: <tool_call>.\n</think>\n\n<tool_call>\n" +
		"{\"name\":\"add_task\",\"arguments\":{\"title\":\"a b\"}}\n</tool_call>",
	"Mistral":        `[TOOL_CALLS] [{"name": "add_task", "arguments": {"title": "a b"}}]`,
	"Mistral, newer": `[TOOL_CALLS]add_task[ARGS]{"title": "a b"}`,
	"Llama":          `<function=add_task>{"title": "a b"}</function>`,
	"Llama, tag":     `<|python_tag|>{"name": "add_task", "parameters": {"title": "a b"}}<|eom_id|>`,
	"Qwen coder": "<tool_call>\n<function=add_task>\n<parameter=title>\na b\n</parameter>\n" +
		"</function>\n</tool_call>",
	"GLM": "<tool_call>add_task\n<arg_key>title</arg_key>\n<arg_value>a b</arg_value>\n</tool_call>",
	"invoke": `<function_calls><invoke name="add_task"><parameter name="title">a b</parameter></invoke>` +
		`</function_calls>`,
	"fenced":          "```json\n{\"name\": \"add_task\", \"arguments\": {\"title\": \"a b\"}}\n```",
	"fenced list":     "```\n[{\"name\": \"add_task\", \"arguments\": {\"title\": \"a b\"}}]\n```",
	"bare":            `{"name": "add_task", "arguments": {"title": "a b"}}`,
	"bare, namespace": ` {"name": "functions.add_task", "parameters": {"title": "a b",},}`,
	"bare, tool":      `{"tool": "add_task", "tool_input": {"title": "a b"}}`,
	"bare, OpenAI": `{"tool_calls": [{"id": "1", "type": "function", "function": {"name": "add_task", ` +
		`"arguments": "{\"title\":\"a b\"}"}}]}`,
	"Python":  `[add_task(title="a b")]`,
	"Gemma":   "```tool_code\nprint(default_api.add_task(title='a b'))\n```",
	"gpt-oss": `<|channel|>commentary to=functions.add_task <|constrain|>json<|message|>{"title":"a b"}<|call|>`,
	"DeepSeek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add_task\n```json\n" +
		"{\"title\":\"a b\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
	"Kimi": `<|tool_calls_section_begin|><|tool_call_begin|>functions.add_task:0` +
		`<|tool_call_argument_begin|>{"title":"a b"}<|tool_call_end|><|tool_calls_section_end|>`,
}

func (s Suite) testTexts(t *testing.T) {
	splits := map[string]func(string) []string{
		"whole": func(text string) []string { return []string{text} },
		"runes": func(text string) []string { return strings.Split(text, "") },
		"words": func(text string) []string { return strings.SplitAfter(text, " ") },
	}
	for how, split := range splits {
		for name, c := range fieldTexts {
			t.Run("shown/"+name+"/"+how, func(t *testing.T) {
				e := s.newEnvironment(t, 0, Stream(s.Text(split(c.text)...)...))
				choice, err := e.generate(t.Context())
				require.NoError(t, err)
				require.Equal(t, c.want, choice.Content)
				require.Equal(t, c.want, strings.Join(e.chunks, ""))
				require.Empty(t, choice.ToolCalls)
				require.Len(t, e.Requests(), 1)
			})
		}
		for name, c := range unopenedTexts {
			t.Run("unopened/"+name+"/"+how, func(t *testing.T) {
				e := s.newEnvironment(t, 0, Stream(s.Text(split(c.text)...)...))
				choice, err := e.generate(t.Context())
				if err != nil { // the text was passed on before the tag: once, and never again
					require.True(t, llm.Transient(err))
					e.chunks = nil
					choice, err = e.generate(t.Context())
				}
				require.NoError(t, err)
				require.Equal(t, c.want, choice.Content)
				require.Equal(t, c.want, strings.Join(e.chunks, ""))
			})
		}
		for name, text := range writtenCalls {
			t.Run("written call/"+name+"/"+how, func(t *testing.T) {
				e := s.newEnvironment(t, 0, Stream(s.Text(split(text)...)...))
				choice, err := e.generate(t.Context())
				require.NoError(t, err)
				require.Len(t, choice.ToolCalls, 1)
				require.Equal(t, "add_task", choice.ToolCalls[0].FunctionCall.Name)
				require.JSONEq(t, `{"title":"a b"}`, choice.ToolCalls[0].FunctionCall.Arguments)
				require.NotEmpty(t, choice.ToolCalls[0].ID)
				require.Equal(t, llm.StopToolCalls, choice.StopReason)
				require.Equal(t, true, choice.GenerationInfo[llm.InfoWrittenCalls])
				require.Empty(t, strings.TrimSpace(strings.Join(e.chunks, "")))
				require.Len(t, e.Requests(), 1)
				require.Contains(t, e.log.String(), "--tool-call-parser")
			})
		}
	}
	s.testMisplacedCalls(t)
}

// testMisplacedCalls plays tool calls beside other text: the model is asked once more.
func (s Suite) testMisplacedCalls(t *testing.T) {
	for name, text := range map[string]string{
		"after a sentence":  "On it.\n<tool_call>{\"name\":\"add_task\",\"arguments\":{\"title\":\"a b\"}}</tool_call>",
		"before a sentence": "<tool_call>{\"name\":\"add_task\",\"arguments\":{\"title\":\"a b\"}}</tool_call>\nAdded!",
		"of another tool":   `<tool_call>{"name":"launch","arguments":{}}</tool_call>`,
		"broken":            `<tool_call>{"name":"add_task","arguments":{"title":"a b"`,
		"fenced":            "I do:\n```json\n{\"name\":\"add_task\",\"arguments\":{\"title\":\"a b\"}}\n```",
	} {
		said := ""
		if before, _, found := strings.Cut(text, "\n"); found && !strings.HasPrefix(text, "<") {
			said = before + "\n"
		}
		t.Run("misplaced call/"+name+"/then a call", func(t *testing.T) {
			e := s.newEnvironment(t, 0, Stream(s.Text(text)...), Stream(s.ToolCall("c1", "add_task", `{"title":"a b"}`)...))
			choice, err := e.generate(t.Context())
			require.NoError(t, err)
			require.Len(t, choice.ToolCalls, 1)
			require.Equal(t, said, choice.Content)
			require.Equal(t, said, strings.Join(e.chunks, ""))
			require.Len(t, e.Requests(), 2)
			require.Contains(t, string(e.Requests()[1].Body), "tool call as text")
		})
		t.Run("misplaced call/"+name+"/then words", func(t *testing.T) {
			e := s.newEnvironment(t, 0, Stream(s.Text(text)...), Stream(s.Text("Which one?")...))
			choice, err := e.generate(t.Context())
			require.NoError(t, err)
			require.Empty(t, choice.ToolCalls)
			want := "Which one?"
			if said != "" {
				want = said + "\n\n" + want
			}
			require.Equal(t, want, choice.Content)
			require.Equal(t, want, strings.Join(e.chunks, ""))
			require.Equal(t, 22, choice.GenerationInfo[llm.InfoInputTokens], "both calls count")
		})
		t.Run("misplaced call/"+name+"/again", func(t *testing.T) {
			e := s.newEnvironment(t, 0, Stream(s.Text(text)...))
			choice, err := e.generate(t.Context())
			require.Len(t, e.Requests(), 2, "asked once more only")
			if said == "" {
				require.Equal(t, llm.ReasonMalformedCall, llm.ReasonOf(err))
				return
			}
			require.NoError(t, err)
			require.NotContains(t, choice.Content, "add_task")
		})
	}
}
