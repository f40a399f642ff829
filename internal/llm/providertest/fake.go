package providertest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// OllamaPath is the path under which [FakeProviders] serves the API of Ollama, which requires no key.
const OllamaPath = "/ollama"

// FakeProviders serves both APIs of OpenAI and those of Gemini, Anthropic and Ollama under their paths. It translates
// each request to OpenAI's format of chat completions for the handler, and the handler's response back. The key is
// [APIKey]. Requests are checked as strictly as the vendors check them, so that a history that a vendor would reject is
// rejected here too. Each write of the handler must be one whole event; a response that is not an event stream is
// passed on unchanged.
func FakeProviders(openai http.Handler) http.Handler {
	g, a, responses := &fakeGemini{}, &fakeAnthropic{}, &fakeResponses{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+APIKey {
			JSON(http.StatusUnauthorized, `{"error":{"code":"invalid_api_key"}}`)(w, r)
			return
		}
		openai.ServeHTTP(w, r)
	})
	mux.Handle("POST "+OllamaPath+"/v1/chat/completions", openai)
	mux.HandleFunc("POST /v1/responses", func(w http.ResponseWriter, r *http.Request) {
		translate(w, r, openai, responses.decodeRequest)
	})
	mux.HandleFunc("POST /v1beta/models/{model}", func(w http.ResponseWriter, r *http.Request) {
		translate(w, r, openai, g.decodeRequest)
	})
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		translate(w, r, openai, a.decodeRequest)
	})
	return mux
}

// ChatRequest is a request in OpenAI's format, with the members that fake servers read.
type ChatRequest struct {
	Model    string        `json:"model"`
	Messages []ChatMessage `json:"messages"`
	Tools    []ChatTool    `json:"tools,omitempty"`
	// ToolChoice is a text or an object.
	ToolChoice json.RawMessage `json:"tool_choice,omitempty"`
}

// ChatMessage is a message in OpenAI's format.
type ChatMessage struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []ChatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

// ChatCall is a tool call in OpenAI's format.
type ChatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function ChatFunction `json:"function"`
}

// ChatFunction is the function of a tool call. Arguments is a JSON text.
type ChatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// ChatTool is a tool that a request offers, in OpenAI's format.
type ChatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

func newChatTool(name string) ChatTool {
	t := ChatTool{Type: "function"}
	t.Function.Name = name
	return t
}

// responseEncoder encodes a response in a provider's format. encodeText and encodeToolCall are called in the order of
// the response, and encodeEnd once, at its end. Each returns the events to write.
type responseEncoder interface {
	encodeText(piece string) string
	encodeToolCall(index int, c ChatCall) string
	encodeEnd(reason string, u tokenUsage) string
}

// tokenUsage holds the token counts of a response.
type tokenUsage struct{ input, output, cached int }

// translate passes a request to next in OpenAI's format and encodes the response in the provider's. A request that
// decode rejects is answered with 400 and the reason.
func translate(
	w http.ResponseWriter,
	r *http.Request,
	next http.Handler,
	decode func(r *http.Request, body []byte) (ChatRequest, responseEncoder, string),
) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client disconnected
	}
	chat, encoder, rejection := decode(r, body)
	if rejection != "" {
		JSON(http.StatusBadRequest, toJSON(map[string]any{"error": map[string]string{"message": rejection}}))(w, r)
		return
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(strings.NewReader(toJSON(chat)))
	next.ServeHTTP(&translatingWriter{ResponseWriter: w, encoder: encoder}, r)
}

// translatingWriter decodes events in OpenAI's format and writes them in the provider's.
type translatingWriter struct {
	http.ResponseWriter
	encoder      responseEncoder
	finishReason string
	usage        tokenUsage
}

// Unwrap returns the underlying writer, for http.ResponseController.
func (w *translatingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write implements io.Writer; event is one event of OpenAI's stream.
func (w *translatingWriter) Write(event []byte) (int, error) {
	data, stream := strings.CutPrefix(string(event), "data: ")
	if !stream {
		return w.ResponseWriter.Write(event)
	}
	_, err := io.WriteString(w.ResponseWriter, w.encodeChunk(strings.TrimSpace(data)))
	return len(event), err
}

func (w *translatingWriter) encodeChunk(data string) string {
	if data == "[DONE]" {
		return w.encoder.encodeEnd(w.finishReason, w.usage)
	}
	var chunk struct {
		Choices []struct {
			Delta struct {
				Content   string
				ToolCalls []struct {
					Index int
					ChatCall
				} `json:"tool_calls"`
			}
			FinishReason string `json:"finish_reason"`
		}
		Usage struct {
			PromptTokens        int `json:"prompt_tokens"`
			CompletionTokens    int `json:"completion_tokens"`
			PromptTokensDetails struct {
				CachedTokens int `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		}
	}
	if err := json.Unmarshal([]byte(data), &chunk); err != nil {
		panic("providertest: the event is not in OpenAI's format: " + data)
	}
	if u := chunk.Usage; u.PromptTokens > 0 {
		w.usage = tokenUsage{u.PromptTokens, u.CompletionTokens, u.PromptTokensDetails.CachedTokens}
	}
	events := ""
	for _, c := range chunk.Choices {
		if c.Delta.Content != "" {
			events += w.encoder.encodeText(c.Delta.Content)
		}
		for _, call := range c.Delta.ToolCalls {
			events += w.encoder.encodeToolCall(call.Index, call.ChatCall)
		}
		if c.FinishReason != "" {
			w.finishReason = c.FinishReason
		}
	}
	return events
}

// signatureSet holds the signatures that a fake server has issued with tool calls.
type signatureSet struct{ signatures sync.Map }

func (s *signatureSet) record(signature string) { s.signatures.Store(signature, true) }

func (s *signatureSet) contains(signature string) bool {
	_, ok := s.signatures.Load(signature)
	return ok
}

// toJSON encodes a value that is known to be encodable.
func toJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
