// Package window reads the context window that a server uses for a model, where the server tells it. It may be smaller
// than the model's: Ollama cuts prompts at 4,096 tokens by default, without an error.
package window

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"errand/internal/llm"
)

const (
	// readTimeout bounds the requests of one reading, for which a turn waits.
	readTimeout = 2 * time.Second
	// localAge is how long a reading of Ollama is used, which loads models with other windows at any time.
	localAge = 30 * time.Second
	// serverAge is how long a reading of another server is used, and retryAge how long a failed one.
	serverAge, retryAge = 10 * time.Minute, 30 * time.Second
)

// Reader reads the window of one model. It is safe for concurrent use.
type Reader struct {
	config llm.Config
	ollama bool

	reading sync.Mutex
	mu      sync.Mutex
	tokens  int
	expires time.Time
}

// NewOllama returns a reader for a server of Ollama; the base URL has no /v1.
func NewOllama(c llm.Config) *Reader { return &Reader{config: c, ollama: true} }

// NewOpenAI returns a reader for a server with OpenAI's API; the base URL includes /v1.
func NewOpenAI(c llm.Config) *Reader { return &Reader{config: c} }

// Tokens returns the size of the context window, 0 if the server does not tell it. Readings are cached; while one is
// made, other callers get the last one.
func (r *Reader) Tokens(ctx context.Context) int {
	tokens, current := r.last()
	if current || !r.reading.TryLock() {
		return tokens
	}
	defer r.reading.Unlock()
	ctx, stop := context.WithTimeout(ctx, readTimeout)
	defer stop()
	read, age := r.readOpenAI, serverAge
	if r.ollama {
		read, age = r.readOllama, localAge
	}
	n, err := read(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.expires = time.Now().Add(retryAge)
		return r.tokens
	}
	r.tokens, r.expires = n, time.Now().Add(age)
	return n
}

func (r *Reader) last() (tokens int, current bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tokens, time.Now().Before(r.expires)
}

// get requests JSON. A server that has no such path is no error.
func (r *Reader) get(ctx context.Context, url string, body, answer any) error {
	header := http.Header{}
	r.config.Key.SetHeader(header, "Authorization", "Bearer ")
	err := llm.GetJSON(ctx, r.config, url, header, body, answer)
	if kind := llm.KindOf(err); err != nil && kind != llm.KindUnavailable && kind != llm.KindTimeout {
		return nil
	}
	return err
}

// readOllama returns the window with which the model is loaded, else the one that the model file sets.
func (r *Reader) readOllama(ctx context.Context) (int, error) {
	var loaded struct {
		Models []struct {
			Name          string `json:"name"`
			ContextLength int    `json:"context_length"`
		} `json:"models"`
	}
	if err := r.get(ctx, r.config.BaseURL+"/api/ps", nil, &loaded); err != nil {
		return 0, err
	}
	for _, m := range loaded.Models {
		if (m.Name == r.config.Model || m.Name == r.config.Model+":latest") && m.ContextLength > 0 {
			return m.ContextLength, nil
		}
	}
	var shown struct {
		Parameters string `json:"parameters"`
	}
	body := map[string]string{"model": r.config.Model}
	if err := r.get(ctx, r.config.BaseURL+"/api/show", body, &shown); err != nil {
		return 0, err
	}
	for line := range strings.Lines(shown.Parameters) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == "num_ctx" {
			n, _ := strconv.Atoi(strings.TrimSpace(value))
			return max(n, 0), nil
		}
	}
	return 0, nil
}

// readOpenAI asks in turn: the list of models (vLLM, OpenRouter, Groq), llama.cpp's /props, LM Studio's own API.
func (r *Reader) readOpenAI(ctx context.Context) (int, error) {
	var list struct {
		Data []struct {
			ID            string `json:"id"`
			MaxModelLen   int    `json:"max_model_len"`
			ContextLength int    `json:"context_length"`
			ContextWindow int    `json:"context_window"`
		} `json:"data"`
	}
	if err := r.get(ctx, r.config.BaseURL+"/models", nil, &list); err != nil {
		return 0, err
	}
	for _, m := range list.Data {
		if n := cmp.Or(m.MaxModelLen, m.ContextLength, m.ContextWindow); m.ID == r.config.Model && n > 0 {
			return n, nil
		}
	}
	root := strings.TrimSuffix(r.config.BaseURL, "/v1")
	var props struct {
		Settings struct {
			Context int `json:"n_ctx"`
		} `json:"default_generation_settings"`
	}
	if err := r.get(ctx, root+"/props", nil, &props); err == nil && props.Settings.Context > 0 {
		return props.Settings.Context, nil
	}
	var model struct {
		Loaded int `json:"loaded_context_length"`
	}
	if err := r.get(ctx, root+"/api/v0/models/"+r.config.Model, nil, &model); err != nil {
		return 0, nil //nolint:nilerr // the list of models was answered: the server tells no window
	}
	return max(model.Loaded, 0), nil
}
