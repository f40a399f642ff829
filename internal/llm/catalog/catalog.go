// Package catalog lists the models of a provider with what the provider tells about them: context window, longest
// response, tools and thinking. The providers and servers report these in different places; what one does not report
// stays unknown.
package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"errand/internal/llm"
)

// Support states whether a model has a capability.
type Support string

// The values of Support; Unknown is the zero value.
const (
	Unknown Support = ""
	Yes     Support = "yes"
	No      Support = "no"
)

func supported(ok bool) Support {
	if ok {
		return Yes
	}
	return No
}

// Model is a model of a provider.
type Model struct {
	Name string `json:"name"`
	// ContextTokens and OutputTokens are the largest context and response, 0 if unknown.
	ContextTokens int     `json:"contextTokens,omitempty"`
	OutputTokens  int     `json:"outputTokens,omitempty"`
	Tools         Support `json:"tools,omitempty"`
	Thinking      Support `json:"thinking,omitempty"`
}

// maxModels is the maximum number of models in a list. OpenRouter has several hundred.
const maxModels = 5000

// maxDetails is the maximum number of models whose details take a request each.
const maxDetails = 100

// List returns the models of a server in the order of their names. c needs no model. provider is openai, gemini,
// anthropic or ollama; the base URL of ollama has no /v1. Errors of requests are [*llm.Error]s.
func List(ctx context.Context, provider string, c llm.Config) ([]Model, error) {
	var models []Model
	var err error
	switch provider {
	case "openai":
		models, err = listOpenAI(ctx, c)
	case "gemini":
		models, err = listGemini(ctx, c)
	case "anthropic":
		models, err = listAnthropic(ctx, c)
	case "ollama":
		models, err = listOllama(ctx, c)
	default:
		return nil, fmt.Errorf("the provider %s has no list of models", provider)
	}
	if err != nil {
		return nil, err
	}
	models = slices.DeleteFunc(models, func(m Model) bool { return m.Name == "" })
	slices.SortFunc(models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
	return models[:min(len(models), maxModels)], nil
}

// openAIModel is the union of what servers with OpenAI's list of models add to it: OpenRouter, vLLM, Groq, Mistral,
// LM Studio, llama.cpp and Together.
type openAIModel struct {
	ID                  string       `json:"id"`
	ContextLength       number       `json:"context_length"`
	ContextWindow       number       `json:"context_window"`
	MaxModelLen         number       `json:"max_model_len"`
	MaxContextLength    number       `json:"max_context_length"`
	MaxCompletionTokens number       `json:"max_completion_tokens"`
	SupportedParameters []string     `json:"supported_parameters"`
	Capabilities        capabilities `json:"capabilities"`
	Meta                struct {
		TrainedContext number `json:"n_ctx_train"`
		Context        number `json:"n_ctx"`
	} `json:"meta"`
	TopProvider struct {
		MaxCompletionTokens number `json:"max_completion_tokens"`
	} `json:"top_provider"`
}

// number is a number of tokens. Values that are no number are 0: the list is for people, not for decisions.
type number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(data []byte) error {
	var f float64
	if json.Unmarshal(data, &f) == nil && f > 0 && f < 1e9 {
		*n = number(f)
	}
	return nil
}

// capabilities are the names of a model's capabilities: a list, or an object of booleans.
type capabilities map[string]bool

// UnmarshalJSON implements json.Unmarshaler. Other forms are ignored.
func (c *capabilities) UnmarshalJSON(data []byte) error {
	*c = capabilities{}
	var names []string
	var flags map[string]json.RawMessage
	switch {
	case json.Unmarshal(data, &names) == nil:
		for _, name := range names {
			(*c)[name] = true
		}
	case json.Unmarshal(data, &flags) == nil:
		for name, value := range flags {
			var object struct{ Supported bool }
			_ = json.Unmarshal(value, &object) // Anthropic's form; others are booleans
			(*c)[name] = string(value) == "true" || object.Supported
		}
	}
	return nil
}

// support returns whether one of several names of a capability is listed.
func (c capabilities) support(names ...string) Support {
	if len(c) == 0 {
		return Unknown
	}
	return supported(slices.ContainsFunc(names, func(name string) bool { return c[name] }))
}

func listOpenAI(ctx context.Context, c llm.Config) ([]Model, error) {
	header := http.Header{}
	c.Key.SetHeader(header, "Authorization", "Bearer ")
	var answer struct{ Data []openAIModel }
	if err := get(ctx, c, c.BaseURL+"/models", header, &answer); err != nil {
		return nil, err
	}
	var models []Model
	for _, m := range answer.Data {
		known := m.Capabilities
		for _, p := range m.SupportedParameters {
			if known == nil {
				known = capabilities{}
			}
			known[p] = true
		}
		models = append(models, Model{
			Name: m.ID,
			ContextTokens: int(cmp.Or(m.MaxModelLen, m.Meta.Context, m.ContextLength, m.ContextWindow, m.MaxContextLength,
				m.Meta.TrainedContext)),
			OutputTokens: int(cmp.Or(m.TopProvider.MaxCompletionTokens, m.MaxCompletionTokens)),
			Tools:        known.support("tools", "tool_use", "function_calling", "tool_calls"),
			Thinking:     known.support("reasoning", "thinking"),
		})
	}
	return models, nil
}

func listGemini(ctx context.Context, c llm.Config) ([]Model, error) {
	header := http.Header{}
	c.Key.SetHeader(header, "X-Goog-Api-Key", "")
	var answer struct {
		Models []struct {
			Name       string   `json:"name"`
			Input      number   `json:"inputTokenLimit"`
			Output     number   `json:"outputTokenLimit"`
			Thinking   bool     `json:"thinking"`
			Generation []string `json:"supportedGenerationMethods"`
		}
	}
	if err := get(ctx, c, c.BaseURL+"/v1beta/models?pageSize=1000", header, &answer); err != nil {
		return nil, err
	}
	var models []Model
	for _, m := range answer.Models {
		if !slices.Contains(m.Generation, "generateContent") {
			continue // models for embeddings and the like
		}
		models = append(models, Model{
			Name: strings.TrimPrefix(m.Name, "models/"), ContextTokens: int(m.Input), OutputTokens: int(m.Output),
			Thinking: supported(m.Thinking),
		})
	}
	return models, nil
}

func listAnthropic(ctx context.Context, c llm.Config) ([]Model, error) {
	header := http.Header{"Anthropic-Version": {"2023-06-01"}}
	c.Key.SetHeader(header, "X-Api-Key", "")
	var answer struct {
		Data []struct {
			ID           string       `json:"id"`
			Input        number       `json:"max_input_tokens"`
			Output       number       `json:"max_tokens"`
			Capabilities capabilities `json:"capabilities"`
		}
	}
	if err := get(ctx, c, c.BaseURL+"/v1/models?limit=1000", header, &answer); err != nil {
		return nil, err
	}
	var models []Model
	for _, m := range answer.Data {
		models = append(models, Model{
			Name: m.ID, ContextTokens: int(m.Input), OutputTokens: int(m.Output), Tools: Yes, // all of its models have tools
			Thinking: m.Capabilities.support("thinking"),
		})
	}
	return models, nil
}

func listOllama(ctx context.Context, c llm.Config) ([]Model, error) {
	var answer struct {
		Models []struct {
			Name string `json:"name"`
		}
	}
	if err := get(ctx, c, c.BaseURL+"/api/tags", nil, &answer); err != nil {
		return nil, err
	}
	var models []Model
	for i, m := range answer.Models {
		found := Model{Name: m.Name}
		if i < maxDetails {
			var err error
			if found, err = showOllama(ctx, c, m.Name); err != nil {
				return nil, err
			}
		}
		models = append(models, found)
	}
	return models, nil
}

// showOllama returns what an Ollama server tells about a model. The context length is that of the model; the server
// uses OLLAMA_CONTEXT_LENGTH of it.
func showOllama(ctx context.Context, c llm.Config, name string) (Model, error) {
	var answer struct {
		Capabilities capabilities      `json:"capabilities"`
		Info         map[string]number `json:"model_info"`
	}
	if err := llm.GetJSON(ctx, c, c.BaseURL+"/api/show", nil, map[string]string{"model": name}, &answer); err != nil {
		return Model{}, err
	}
	m := Model{Name: name, Tools: answer.Capabilities.support("tools"), Thinking: answer.Capabilities.support("thinking")}
	for key, n := range answer.Info {
		if strings.HasSuffix(key, ".context_length") {
			m.ContextTokens = int(n)
		}
	}
	return m, nil
}

func get(ctx context.Context, c llm.Config, url string, header http.Header, answer any) error {
	return llm.GetJSON(ctx, c, url, header, nil, answer)
}
