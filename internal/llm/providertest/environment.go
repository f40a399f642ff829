package providertest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// environment is a model with its fake server and log.
type environment struct {
	*Server
	model  llms.Model
	log    bytes.Buffer
	chunks []string
}

// retryBase is the base of the retry delays in the suite.
const retryBase = 20 * time.Millisecond

func (s Suite) newEnvironment(t *testing.T, idle time.Duration, script ...Step) *environment {
	t.Helper()
	e := &environment{Server: NewServer(t, script...)}
	e.model = s.NewModel(t, e.URL, llm.HTTPOptions{
		Client:      e.Client,
		IdleTimeout: idle,
		MaxResponse: 2 * llm.MaxLine,
		Log:         slog.New(slog.NewTextHandler(&e.log, nil)),
		Retry:       llm.Retry{Base: retryBase},
	})
	return e
}

var retryWait = regexp.MustCompile(` wait=(\S+)`)

// retryWaits returns the delays of the retries in the log.
func (e *environment) retryWaits(t *testing.T) (waits []time.Duration) {
	t.Helper()
	for _, match := range retryWait.FindAllStringSubmatch(e.log.String(), -1) {
		wait, err := time.ParseDuration(match[1])
		require.NoError(t, err)
		waits = append(waits, wait)
	}
	return waits
}

func (e *environment) generate(ctx context.Context) (*llms.ContentChoice, error) {
	resp, err := e.model.GenerateContent(ctx, Messages(), llms.WithTools(Tools()),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			e.chunks = append(e.chunks, string(chunk))
			return nil
		}))
	if err != nil {
		return nil, err
	}
	return resp.Choices[0], nil
}

// requireError makes a call and requires an error of the kind that contains no secret and no provider text.
func (e *environment) requireError(t *testing.T, kind llm.Kind) *llm.Error {
	t.Helper()
	_, err := e.generate(t.Context())
	var modelErr *llm.Error
	require.ErrorAs(t, err, &modelErr)
	require.Equal(t, kind, modelErr.Kind, "%v", err)
	e.requireNoSecrets(t, err)
	return modelErr
}

func (e *environment) requireNoSecrets(t *testing.T, err error) {
	t.Helper()
	shown := fmt.Sprintf("%v %+v %#v %s %+v", err, err, err, e.log.String(), e.model)
	require.NotContains(t, shown, APIKey)
	require.NotContains(t, shown, ProviderText)
	require.NotContains(t, shown, "What is open?")
}

// Messages returns a short conversation.
func Messages() []llms.MessageContent {
	return []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list."),
		llms.TextParts(llms.ChatMessageTypeHuman, "What is open?"),
	}
}

// Tools returns two tool declarations.
func Tools() []llms.Tool {
	schema := map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"title": map[string]any{"type": "string"}},
		"additionalProperties": false,
	}
	return []llms.Tool{
		{
			Type:     "function",
			Function: &llms.FunctionDefinition{Name: "add_task", Description: "Adds a task.", Parameters: schema},
		},
		{Type: "function", Function: &llms.FunctionDefinition{Name: "list_tasks", Description: "Lists tasks."}},
	}
}
