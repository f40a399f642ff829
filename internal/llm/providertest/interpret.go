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

// Speak serves the wires of OpenAI, Gemini, Anthropic and Ollama, by their paths, from a
// handler that knows OpenAI's alone. The key is [Key]. Requests are read as strictly as the vendors read them, so that a
// history which one of them would refuse is refused here too. Each write of the handler must be
// one whole event; what is no event stream goes through as it is.
func Speak(openai http.Handler) http.Handler {
	g, a := &gemini{}, &anthropic{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+Key {
			Reply(http.StatusUnauthorized, `{"error":{"code":"invalid_api_key"}}`)(w, r)
			return
		}
		openai.ServeHTTP(w, r)
	})
	mux.Handle("POST "+OllamaPath+"/v1/chat/completions", openai)
	mux.HandleFunc("POST /v1beta/models/{model}", func(w http.ResponseWriter, r *http.Request) {
		interpret(w, r, openai, g.read)
	})
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		interpret(w, r, openai, a.read)
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

func offer(name string) ChatTool {
	t := ChatTool{Type: "function"}
	t.Function.Name = name
	return t
}

// tongue says an answer on one wire. Texts and pieces of calls come in order; last is called once,
// when the answer is complete.
type tongue interface {
	text(piece string) string
	call(index int, c ChatCall) string
	last(reason string, u counts) string
}

// counts are the tokens of an answer.
type counts struct{ input, output, cached int }

// interpret hands a request on in OpenAI's words and the answer back in the other's. What
// read refuses is answered with HTTP 400 and the reason.
func interpret(
	w http.ResponseWriter,
	r *http.Request,
	next http.Handler,
	read func(r *http.Request, body []byte) (ChatRequest, tongue, string),
) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller gave up while sending
	}
	chat, t, fault := read(r, body)
	if fault != "" {
		refusal, _ := json.Marshal(map[string]any{"error": map[string]string{"message": fault}})
		Reply(http.StatusBadRequest, string(refusal))(w, r)
		return
	}
	heard, _ := json.Marshal(chat)
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(heard))
	next.ServeHTTP(&interpreter{ResponseWriter: w, tongue: t}, r)
}

// interpreter takes events of OpenAI's wire and writes those of the other.
type interpreter struct {
	http.ResponseWriter
	tongue tongue
	reason string
	counts counts
}

// Unwrap serves http.ResponseController.
func (i *interpreter) Unwrap() http.ResponseWriter { return i.ResponseWriter }

// Write implements io.Writer; event is one event of OpenAI's stream.
func (i *interpreter) Write(event []byte) (int, error) {
	data, stream := strings.CutPrefix(string(event), "data: ")
	if !stream {
		return i.ResponseWriter.Write(event)
	}
	said := i.say(strings.TrimSpace(data))
	_, err := io.WriteString(i.ResponseWriter, said)
	return len(event), err
}

func (i *interpreter) say(data string) string {
	if data == "[DONE]" {
		return i.tongue.last(i.reason, i.counts)
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
		i.counts = counts{u.PromptTokens, u.CompletionTokens, u.PromptTokensDetails.CachedTokens}
	}
	said := ""
	for _, c := range chunk.Choices {
		if c.Delta.Content != "" {
			said += i.tongue.text(c.Delta.Content)
		}
		for _, call := range c.Delta.ToolCalls {
			said += i.tongue.call(call.Index, call.ChatCall)
		}
		if c.FinishReason != "" {
			i.reason = c.FinishReason
		}
	}
	return said
}

// register keeps the signatures that a fake has given out with calls.
type register struct{ given sync.Map }

func (r *register) add(signature string) { r.given.Store(signature, true) }

func (r *register) has(signature string) bool {
	_, ok := r.given.Load(signature)
	return ok
}

// compact is a value's JSON; the values are the fakes' own and always marshal.
func compact(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
