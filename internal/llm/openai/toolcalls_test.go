package openai_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// deltas returns a response with the deltas of tool calls.
func deltas(calls ...string) []string {
	var frames []string
	for _, c := range calls {
		frames = append(frames, delta(`{"tool_calls":[`+c+`]}`))
	}
	return append(frames, finish(`{}`, `"tool_calls"`), done)
}

// TestDecode_CallFragments_AreAssigned plays fragments of two calls, add_task {"title":"a b"} and
// add_task {"title":"c"}, with ids and indexes as servers send them.
func TestDecode_CallFragments_AreAssigned(t *testing.T) {
	const (
		open1 = `{"title":"a`
		rest1 = ` b"}`
		args2 = `{"title":"c"}`
	)
	head := func(place, id, arguments string) string {
		return `{` + place + `"id":"` + id + `","type":"function","function":{"name":"add_task","arguments":` +
			quote(arguments) + `}}`
	}
	more := func(place, arguments string) string {
		return `{` + place + `"function":{"arguments":` + quote(arguments) + `}}`
	}
	for name, frames := range map[string][]string{
		"by index": deltas(head(`"index":0,`, "x", open1), head(`"index":1,`, "y", ""), more(`"index":0,`, rest1),
			more(`"index":1,`, args2)),
		"second head at index 0": deltas(head(`"index":0,`, "x", open1), more(`"index":0,`, rest1),
			head(`"index":0,`, "y", ""), more(`"index":0,`, args2)),
		"second head at index 0 in parts": deltas(head(`"index":0,`, "x", open1), more(`"index":0,`, rest1),
			`{"index":0,"id":"y","function":{}}`, `{"index":0,"function":{"name":"add_task"}}`, more(`"index":0,`, args2)),
		"ids interleaved at index 0": deltas(head(`"index":0,`, "x", ""), head(`"index":0,`, "y", ""),
			more(`"index":0,"id":"x",`, open1), more(`"index":0,"id":"y",`, args2), more(`"index":0,"id":"x",`, rest1)),
		"known id at another index": deltas(head(`"index":0,`, "x", open1), more(`"index":1,"id":"x",`, rest1),
			head(`"index":1,`, "y", args2)),
		"known id at another index, then without id": deltas(head(`"index":0,`, "x", ""),
			more(`"index":5,"id":"x",`, open1), more(`"index":5,`, rest1), head(`"index":6,`, "y", args2)),
		"no index":        deltas(head("", "x", open1), more("", rest1), head("", "y", ""), more("", args2)),
		"no index, by id": deltas(head("", "x", open1), head("", "y", args2), more(`"id":"x",`, rest1)),
		"index as text": deltas(head(`"index":"0",`, "x", open1), head(`"index":"1",`, "y", args2),
			more(`"index":"0",`, rest1)),
		"index as float": deltas(head(`"index":0.0,`, "x", open1), head(`"index":1.0,`, "y", args2),
			more(`"index":0.0,`, rest1)),
		"index null": deltas(head(`"index":null,`, "x", open1), more(`"index":null,`, rest1),
			head(`"index":null,`, "y", args2)),
		"index negative": deltas(head(`"index":-1,`, "x", open1), more(`"index":-1,`, rest1),
			head(`"index":-1,`, "y", args2)),
		"index from 1": deltas(head(`"index":1,`, "x", open1), more(`"index":1,`, rest1), head(`"index":2,`, "y", args2)),
		"a new id with every delta": deltas(head(`"index":0,`, "x", open1), more(`"index":0,"id":"z",`, rest1),
			head(`"index":1,`, "y", args2)),
		"the id late": deltas(head(`"index":0,`, "", open1), more(`"index":0,"id":"x",`, rest1),
			head(`"index":1,`, "y", args2)),
		"the name in parts": deltas(`{"index":0,"id":"x","function":{"name":"add_"}}`,
			`{"index":0,"function":{"name":"task","arguments":""}}`, more(`"index":0,`, open1+rest1),
			head(`"index":1,`, "y", args2)),
		"the name growing": deltas(`{"index":0,"id":"x","function":{"name":"add"}}`,
			`{"index":0,"function":{"name":"add_task","arguments":""}}`, more(`"index":0,`, open1+rest1),
			head(`"index":1,`, "y", args2)),
		"the name with every delta": deltas(head(`"index":0,`, "x", open1), head(`"index":0,`, "x", rest1),
			head(`"index":1,`, "y", args2)),
		"no ids, no index": deltas(`{"function":{"name":"add_task","arguments":`+quote(open1+rest1)+`}}`,
			`{"function":{"name":"add_task","arguments":`+quote(args2)+`}}`),
		"a call repeated at the end": deltas(head(`"index":0,`, "x", open1+rest1), head(`"index":1,`, "y", args2),
			head(`"index":0,`, "x", open1+rest1)),
		"a call repeated at another index": deltas(head(`"index":0,`, "x", open1+rest1), head(`"index":1,`, "x", open1+rest1),
			head(`"index":2,`, "y", args2)),
		"a call that is not in a list": {
			delta(`{"tool_calls":` + head(`"index":0,`, "x", open1+rest1) + `}`),
			delta(`{"tool_calls":` + head(`"index":1,`, "y", args2) + `}`), finish(`null`, `"tool_calls"`),
		},
		"ids as numbers": deltas(strings.Replace(head(`"index":0,`, "7", open1+rest1), `"7"`, "7", 1),
			strings.Replace(head(`"index":0,`, "8", args2), `"8"`, "8", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := generate(t, frames, llms.WithTools(providertest.Tools()))
			require.NoError(t, err)
			require.Len(t, c.ToolCalls, 2)
			for i, want := range []string{`{"title":"a b"}`, args2} {
				require.Equal(t, "add_task", c.ToolCalls[i].FunctionCall.Name)
				require.JSONEq(t, want, c.ToolCalls[i].FunctionCall.Arguments)
			}
			require.NotEqual(t, c.ToolCalls[0].ID, c.ToolCalls[1].ID)
		})
	}
}

// TestDecode_MembersOfOtherTypes_AreIgnored plays a response whose optional members have unexpected types.
func TestDecode_MembersOfOtherTypes_AreIgnored(t *testing.T) {
	frames := []string{
		`data: {"object":1,"choices":null,"error":""}` + "\n\n",
		`data: {"choices":[{"index":"0","delta":null,"finish_reason":""}],"usage":"none"}` + "\n\n",
		`data: {"choices":[{"index":0.0,"delta":{"content":[{"type":"text","text":"Hel"}],"refusal":{},"tool_calls":null,` +
			`"reasoning_details":"x"},"finish_reason":null}],"error":{}}` + "\n\n",
		`data:{"choices":[{"delta":{"content":["lo"],"tool_calls":{}}}],"usage":[]}` + "\n\n",
		`data: {"choices":{}}` + "\n\n",
	}
	for name, end := range map[string][]string{
		"unknown reason":    {finish(`{}`, `"eos"`)},
		"empty reason":      {finish(`{}`, `""`), "data:[DONE]\n\n"},
		"reason in capital": {finish(`{}`, `"STOP"`), "data: [DONE]"},
		"reason as number":  {finish(`{}`, `1`)},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := generate(t, append(append([]string(nil), frames...), end...))
			require.NoError(t, err)
			require.Equal(t, "Hello", c.Content)
		})
	}
}

// FuzzClient_Stream plays any bytes as a response: the client returns a response or an error, and keeps no more than
// the response's limit.
func FuzzClient_Stream(f *testing.F) {
	for _, frames := range [][]string{text("Hello"), calls, {"\uFEFFdata:[DONE]\r\r"}, {"{}"}, {"[]"}, {"<html>"}} {
		f.Add(strings.Join(frames, ""))
	}
	f.Add(delta(`{"content":[{"text":1}],"tool_calls":{"index":"x","id":7,"function":{"name":[],"arguments":{}}}}`))
	f.Fuzz(func(t *testing.T, body string) {
		const limit = 64 << 10
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: http.StatusOK,
				Header:     http.Header{},
				Body:       io.NopCloser(strings.NewReader(body)),
			}, nil
		})
		m := open(t, "http://provider.test", llm.HTTPOptions{
			Client:      &http.Client{Transport: transport},
			MaxResponse: limit,
			Retry:       llm.Retry{Attempts: 1},
			Log:         slog.New(slog.DiscardHandler),
		})
		resp, err := m.GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()))
		if err != nil {
			require.NotEmpty(t, llm.KindOf(err))
			return
		}
		c := resp.Choices[0]
		require.LessOrEqual(t, len(c.Content), 2*limit)
		for _, call := range c.ToolCalls {
			require.NotEmpty(t, call.ID)
			require.NotEmpty(t, call.FunctionCall.Name)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
