package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/gemini"
	"errand/internal/llm/providertest"
	"errand/internal/secret"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	return openModel(t, url, "gemini-3-test", o)
}

// openModel returns a client of the fake server at url for the model name.
func openModel(t *testing.T, url, name string, o llm.HTTPOptions) llms.Model {
	t.Helper()
	m, err := gemini.New(llm.Config{
		BaseURL: url,
		Key:     secret.New(providertest.APIKey),
		Model:   name,
		HTTP:    o,
	})
	require.NoError(t, err)
	return m
}

func chunk(parts, rest string) string {
	return `data: {"candidates":[{"index":0,"content":{"role":"model","parts":[` + parts + `]}` + rest + "\n\n"
}

func parts(p string) string { return chunk(p, `}]}`) }

const usage = `"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":4,"thoughtsTokenCount":3,` +
	`"cachedContentTokenCount":3}`

func finish(p, reason string) string {
	return chunk(p, `,"finishReason":"`+reason+`"}],`+usage+`}`)
}

func text(pieces ...string) []string {
	var frames []string
	for _, p := range pieces {
		quoted, _ := json.Marshal(p)
		frames = append(frames, parts(`{"text":`+string(quoted)+`}`))
	}
	return append(frames, finish(`{"text":""}`, "STOP"))
}

var begin = []string{parts(`{"text":"Hel"}`)}

// calls is a response with a thought, signed text in parts, and signed calls without ids.
var calls = []string{
	parts(`{"text":"Hmm.","thought":true}`),
	parts(`{"text":"On "},{"text":"it"}`),
	parts(`{"text":".","thoughtSignature":"c2lnMQ=="}`),
	parts(
		`{"functionCall":{"name":"add_task","args":{"title":"a b"}},"thoughtSignature":"c2lnMg=="},` +
			`{"functionCall":{"name":"list_tasks"}}`,
	),
	finish(`{"text":"","thoughtSignature":"c2lnMw=="}`, "STOP"),
}

func TestClient_ConformanceSuite_Passes(t *testing.T) {
	providertest.RunSuite(t, providertest.Suite{
		NewModel: open, Text: text, PartialText: begin, ToolCalls: calls,
		UnfinishedCall:   []string{parts(`{"functionCall":{"name":"add_task","args":{"title":"a"}}}`)},
		CallAtTokenLimit: []string{begin[0], finish(`{"functionCall":{"name":"add_task","args":{}}}`, "MAX_TOKENS")},
		WholeArguments:   true,
		ToolCall: func(id, name string, arguments ...string) []string {
			args := strings.Join(arguments, "")
			if !json.Valid([]byte(args)) {
				args = quote(args)
			}
			return []string{finish(`{"functionCall":{"id":`+quote(id)+`,"name":`+quote(name)+`,"args":`+args+`}}`, "STOP")}
		},
		Usage: func(input, output string) []string {
			return []string{chunk(`{"text":"Hello"}`, `,"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":`+input+
				`,"candidatesTokenCount":`+output+`}}`)}
		},
		ContentFiltered: []string{begin[0], finish(``, "SAFETY")},
		ErrorEvent: `data: {"error":{"code":503,` +
			`"message":"` + providertest.ProviderText + `","status":"UNAVAILABLE"}}` + "\n\n",
		UnstreamedText: `[{"candidates":[{"content":{"parts":[{"text":"Hello"}]},"finishReason":"STOP"}]}]`,
		RateLimitBody: `[{"error":{"code":429,` +
			`"message":"` + providertest.ProviderText + `","status":"RESOURCE_EXHAUSTED"}}]`,
	})
}

func generate(t *testing.T, step providertest.Step) (*llms.ContentChoice, error) {
	t.Helper()
	s := providertest.NewServer(t, step)
	resp, err := open(
		t,
		s.URL,
		llm.HTTPOptions{Client: s.Client, Retry: llm.Retry{Attempts: 1}},
	).GenerateContent(t.Context(), providertest.Messages())
	if err != nil {
		return nil, err
	}
	return resp.Choices[0], nil
}

func TestClient_ResponseWithoutText_ReturnsClassifiedError(t *testing.T) {
	for name, c := range map[string]struct {
		kind llm.Kind
		step providertest.Step
	}{
		"blocked prompt": {
			llm.KindBadRequest,
			providertest.Stream(`data: {"promptFeedback":{"blockReason":"SAFETY"}}` + "\n\n"),
		},
		"malformed call": {llm.KindTruncated, providertest.Stream(finish(``, "MALFORMED_FUNCTION_CALL"))},
		"only a thought": {
			llm.KindTruncated,
			providertest.Stream(finish(`{"text":"Hmm","thought":true}`, "MAX_TOKENS")),
		},
		"part that is not an object": {llm.KindUnavailable, providertest.Stream(parts(`17`))},
		"wrong key": {llm.KindAuth, providertest.JSON(400, `{"error":{"code":400,"status":"INVALID_ARGUMENT",
			"details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate(t, c.step)
			require.Equal(t, c.kind, llm.KindOf(err), "%v", err)
		})
	}
}

func TestClient_RetryInfo_SetsRetryAfter(t *testing.T) {
	_, err := generate(
		t,
		providertest.JSON(429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34s"}]}}`),
	)
	var e *llm.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "34s", e.RetryAfter.String())
}

func TestClient_ForeignFinishReason_IsAccepted(t *testing.T) {
	c, err := generate(t, providertest.Stream(finish(`{"functionCall":{"name":"list_tasks","id":"x1"}}`, "FUNCTION_CALL")))
	require.NoError(t, err)
	require.Equal(t, "x1", c.ToolCalls[0].ID)
	require.Equal(t, llm.StopToolCalls, c.StopReason)
}

func quote(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}
