package providertest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// OllamaPath is where [Speak] plays an Ollama server, which wants no key.
const OllamaPath = "/ollama"

// FakeProviders serves the wires of OpenAI, Gemini, Anthropic and Ollama, by their paths, from a
// handler that knows OpenAI's alone. The key is [APIKey]. Requests are read as strictly as the vendors read them, so
// that a history which one of them would refuse is refused here too. Each write of the handler must be
// one whole event; what is no event stream goes through as it is.
func FakeProviders(openai http.Handler) http.Handler {
	g, a := &fakeGemini{}, &fakeAnthropic{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+APIKey {
			JSON(http.StatusUnauthorized, `{"error":{"code":"invalid_api_key"}}`)(w, r)
			return
		}
		openai.ServeHTTP(w, r)
	})
	mux.Handle("POST "+OllamaPath+"/v1/chat/completions", openai)
	mux.HandleFunc("POST /v1beta/models/{model}", func(w http.ResponseWriter, r *http.Request) {
		translate(w, r, openai, g.decodeRequest)
	})
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		translate(w, r, openai, a.decodeRequest)
	})
	return mux
}

// ChatRequest is a request of OpenAI's wire, as far as fakes look at it.
type ChatRequest struct {
	Model    string        `json:"model"`
	Messages []ChatMessage `json:"messages"`
	Tools    []ChatTool    `json:"tools,omitempty"`
}

// ChatMessage is a message of OpenAI's wire.
type ChatMessage struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []ChatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

// ChatCall is a tool call of OpenAI's wire.
type ChatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function ChatFunction `json:"function"`
}

// ChatFunction is what a call calls.
type ChatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// ChatTool is an offered tool of OpenAI's wire.
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

// responseEncoder says an answer on one wire. Texts and pieces of calls come in order; last is called once,
// when the answer is complete.
type responseEncoder interface {
	encodeText(piece string) string
	encodeToolCall(index int, c ChatCall) string
	encodeEnd(reason string, u tokenUsage) string
}

// tokenUsage are the tokens of an answer.
type tokenUsage struct{ input, output, cached int }

// translate hands a request on in OpenAI's words and the answer back in the other's. What
// read refuses is answered with HTTP 400 and the reason.
func translate(
	w http.ResponseWriter,
	r *http.Request,
	next http.Handler,
	read func(r *http.Request, body []byte) (ChatRequest, responseEncoder, string),
) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up while sending
	}
	chat, t, rejection := read(r, body)
	if rejection != "" {
		refusal, _ := json.Marshal(map[string]any{"error": map[string]string{"message": rejection}})
		JSON(http.StatusBadRequest, string(refusal))(w, r)
		return
	}
	heard, _ := json.Marshal(chat)
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(heard))
	next.ServeHTTP(&translatingWriter{ResponseWriter: w, encoder: t}, r)
}

// translatingWriter takes events of OpenAI's wire and writes those of the other.
type translatingWriter struct {
	http.ResponseWriter
	encoder      responseEncoder
	finishReason string
	usage        tokenUsage
}

// Unwrap serves http.ResponseController.
func (i *translatingWriter) Unwrap() http.ResponseWriter { return i.ResponseWriter }

// Write implements io.Writer; event is one event of OpenAI's stream.
func (i *translatingWriter) Write(event []byte) (int, error) {
	data, stream := strings.CutPrefix(string(event), "data: ")
	if !stream {
		return i.ResponseWriter.Write(event)
	}
	said := i.encodeChunk(strings.TrimSpace(data))
	_, err := io.WriteString(i.ResponseWriter, said)
	return len(event), err
}

func (i *translatingWriter) encodeChunk(data string) string {
	if data == "[DONE]" {
		return i.encoder.encodeEnd(i.finishReason, i.usage)
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
		panic("wiretest: an event that is not OpenAI's: " + data)
	}
	if u := chunk.Usage; u.PromptTokens > 0 {
		i.usage = tokenUsage{u.PromptTokens, u.CompletionTokens, u.PromptTokensDetails.CachedTokens}
	}
	said := ""
	for _, c := range chunk.Choices {
		if c.Delta.Content != "" {
			said += i.encoder.encodeText(c.Delta.Content)
		}
		for _, call := range c.Delta.ToolCalls {
			said += i.encoder.encodeToolCall(call.Index, call.ChatCall)
		}
		if c.FinishReason != "" {
			i.finishReason = c.FinishReason
		}
	}
	return said
}

// signatureSet keeps the signatures that a fake has given out with calls.
type signatureSet struct{ signatures sync.Map }

func (r *signatureSet) record(signature string) { r.signatures.Store(signature, true) }

func (r *signatureSet) contains(signature string) bool {
	_, ok := r.signatures.Load(signature)
	return ok
}

// toJSON is a value's JSON; the values are the fakes' own and always marshal.
func toJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
