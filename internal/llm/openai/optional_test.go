package openai_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestGenerateContent_OptionalMemberRejected_IsLeftOut checks that a rejected member is left out at once and later.
func TestGenerateContent_OptionalMemberRejected_IsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		member, body string
		status       int
	}{
		"OpenAI": {"stream_options", `{"error":{"message":"Unrecognized request argument supplied: stream_options"}}`, 400},
		"FastAPI": {
			"stream_options",
			`{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}`, 422,
		},
		"by type": {"stream_options", `{"error":{"param":"stream_options","code":"unsupported_parameter"}}`, 400},
		"unnamed": {"stream_options", `{"message":"Extra fields not permitted"}`, 400},
		"choice":  {"tool_choice", `{"error":"tool_choice is not supported by this model"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			ok := providertest.Stream(text("Done.")...)
			s := providertest.NewServer(t, providertest.JSON(c.status, c.body), ok)
			var log bytes.Buffer
			m := open(t, s.URL, llm.HTTPOptions{Client: s.Client, Log: slog.New(slog.NewTextHandler(&log, nil))})
			for range 2 {
				resp, err := m.GenerateContent(t.Context(), providertest.Messages(), llms.WithTools(providertest.Tools()),
					llms.WithToolChoice("none"))
				require.NoError(t, err)
				require.Equal(t, "Done.", resp.Choices[0].Content)
			}
			requests := s.Requests()
			require.Len(t, requests, 3)
			require.Contains(t, requests[0].JSON(t), c.member)
			require.NotContains(t, requests[1].JSON(t), c.member)
			require.NotContains(t, requests[2].JSON(t), c.member)
			require.Contains(t, requests[2].JSON(t), "tools")
			require.Contains(t, log.String(), "member="+c.member)
		})
	}
	t.Run("always rejected", func(t *testing.T) {
		s := providertest.NewServer(t, providertest.JSON(400, `{"error":{"message":"stream_options, tool_choice: no"}}`))
		_, err := open(t, s.URL, llm.HTTPOptions{Client: s.Client}).GenerateContent(t.Context(), providertest.Messages())
		require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
		require.Len(t, s.Requests(), 2)
	})
}

// TestGenerateContent_StrictCallIDs_AreDerived plays a server that accepts only ids of 9 letters and digits.
func TestGenerateContent_StrictCallIDs_AreDerived(t *testing.T) {
	valid := regexp.MustCompile(`^[a-zA-Z0-9]{9}$`)
	history := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "One")}
	for _, id := range []string{"call_1", "call_1", "toolu_01ABC", "a23456789"} {
		history = append(history,
			llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
				llms.ToolCall{ID: id, FunctionCall: &llms.FunctionCall{Name: "list_tasks", Arguments: "{}"}},
			}},
			llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: id, Name: "list_tasks", Content: "[]"},
			}})
	}
	ids := func(r providertest.Request) (calls []string) {
		for _, m := range r.JSON(t)["messages"].([]any) {
			message, _ := m.(map[string]any)
			if list, ok := message["tool_calls"].([]any); ok {
				calls = append(calls, list[0].(map[string]any)["id"].(string))
			}
			if id, ok := message["tool_call_id"]; ok {
				require.Equal(t, calls[len(calls)-1], id)
			}
		}
		return calls
	}
	for name, model := range map[string]string{"unknown model": "test-model", "Mistral's": "mistral-small"} {
		t.Run(name, func(t *testing.T) {
			var s *providertest.Server
			s = providertest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
				requests := s.Requests()
				for _, id := range ids(requests[len(requests)-1]) {
					if !valid.MatchString(id) {
						providertest.JSON(400, `{"object":"error","message":"Tool call id was `+id+
							` but must be a-z, A-Z, 0-9, with a length of 9.","type":"invalid_request_error"}`)(w, r)
						return
					}
				}
				providertest.Stream(text("Done.")...)(w, r)
			})
			m := openModel(t, s.URL, model, llm.HTTPOptions{Client: s.Client})
			var previous []string
			for range 2 {
				_, err := m.GenerateContent(t.Context(), history)
				require.NoError(t, err)
				requests := s.Requests()
				got := ids(requests[len(requests)-1])
				require.Len(t, got, 4)
				require.NotEqual(t, got[0], got[1], "unique within a request")
				require.Equal(t, "a23456789", got[3])
				if previous != nil {
					require.Equal(t, previous, got, "stable between requests")
				}
				previous = got
			}
		})
	}
}
