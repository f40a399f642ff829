package provider_test

import (
	"net/http"
	"net/url"
	"testing"

	"errand/internal/llm"
	"errand/internal/llm/openai"
	"errand/internal/llm/provider"
	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// redirect sends the requests for any host to a fake server.
type redirect struct {
	to     *url.URL
	server http.RoundTripper
}

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = r.to.Scheme, r.to.Host
	return r.server.RoundTrip(req)
}

// requests returns the bodies that a model sends for one call to a server with the script.
func requests(t *testing.T, s provider.Settings, withTools bool, script ...providertest.Step) []map[string]any {
	t.Helper()
	server := providertest.NewServer(t, script...)
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	s.HTTP = llm.HTTPOptions{
		Client: &http.Client{Transport: redirect{to, server.Client.Transport}},
		Retry:  llm.Retry{Attempts: 1},
	}
	m, _, err := provider.Open(s)
	require.NoError(t, err)
	var opts []llms.CallOption
	if withTools {
		opts = append(opts, llms.WithTools(providertest.Tools()))
	}
	_, err = m.GenerateContent(t.Context(), providertest.Messages(), opts...)
	require.Equal(t, llm.KindBadRequest, llm.KindOf(err))
	var all []map[string]any
	for _, r := range server.Requests() {
		all = append(all, r.JSON(t))
	}
	return all
}

type object = map[string]any

var (
	officialChat = provider.Settings{OpenAIKey: key, Model: "gpt-5.4"}
	responsesAPI = provider.Settings{OpenAIKey: key, OpenAIAPI: provider.ResponsesAPI}
	vllm         = provider.Settings{Provider: "openai", OpenAIBaseURL: "http://vllm:8000/v1", Model: "Qwen/Qwen3-8B"}
	ollama       = provider.Settings{Provider: "ollama", Model: "gpt-oss"}
	claude       = provider.Settings{AnthropicKey: key}
	claude4      = provider.Settings{AnthropicKey: key, Model: "claude-sonnet-4-5-20250929"}
	gemini3      = provider.Settings{GeminiKey: key}
	gemini2      = provider.Settings{GeminiKey: key, Model: "gemini-2.5-flash"}
)

func TestOpen_Generation_EncodedByEachAPI(t *testing.T) {
	temperature := 0.0
	bad := providertest.JSON(400, `{}`)
	for name, c := range map[string]struct {
		settings   provider.Settings
		effort     string
		thinking   string
		additional object // beyond temperature and maximum
		sampling   object
	}{
		"chat":                    {officialChat, "", "", nil, object{"temperature": 0.0, "max_completion_tokens": 3000.0}},
		"chat, effort":            {officialChat, "minimal", "", object{"reasoning_effort": "minimal"}, nil},
		"chat, off":               {officialChat, "", "off", object{"reasoning_effort": "none"}, nil},
		"chat, on":                {officialChat, "", "on", object{"reasoning_effort": "medium"}, nil},
		"responses":               {responsesAPI, "", "", nil, object{"temperature": 0.0, "max_output_tokens": 3000.0}},
		"responses, effort":       {responsesAPI, "high", "on", object{"reasoning": object{"effort": "high"}}, nil},
		"responses, none":         {responsesAPI, "none", "", object{"reasoning": object{"effort": "none"}}, nil},
		"vLLM":                    {vllm, "", "", nil, object{"temperature": 0.0, "max_tokens": 3000.0}},
		"Ollama":                  {ollama, "", "", nil, object{"temperature": 0.0, "max_tokens": 3000.0}},
		"Ollama, off":             {ollama, "", "off", object{"reasoning_effort": "none"}, nil},
		"Ollama, minimal":         {ollama, "minimal", "", object{"reasoning_effort": "low"}, nil},
		"Claude 4, effort":        {claude4, "high", "", budget("enabled", 8192, 16384), budget("enabled", 1976, 3000)},
		"Claude 4, on":            {claude4, "", "on", budget("enabled", 4096, 16384), budget("enabled", 1976, 3000)},
		"Gemini":                  {gemini3, "", "", nil, generationConfig(nil, true)},
		"Gemini, low":             {gemini3, "low", "", generationConfig(object{"thinkingLevel": "low"}, false), nil},
		"Gemini, on":              {gemini3, "", "on", nil, generationConfig(nil, true)},
		"Gemini, off":             {gemini3, "", "off", generationConfig(object{"thinkingLevel": "minimal"}, false), nil},
		"Gemini 2, on":            {gemini2, "", "on", generationConfig(object{"thinkingBudget": -1.0}, false), nil},
		"Gemini 2, off and limit": {gemini2, "", "off", nil, generationConfig(object{"thinkingBudget": 0.0}, true)},
		"vLLM, on": {vllm, "", "on", object{
			"reasoning_effort": "medium", "chat_template_kwargs": object{"enable_thinking": true},
		}, nil},
		"vLLM, off": {vllm, "", "off", object{
			"reasoning_effort": "none", "chat_template_kwargs": object{"enable_thinking": false},
		}, nil},
		"Claude": {claude, "", "", object{"max_tokens": 16384.0}, object{
			"temperature": 0.0, "max_tokens": 3000.0,
		}},
		"Claude, off": {claude, "", "off", budget("disabled", 0, 16384), object{
			"thinking": object{"type": "disabled"}, "max_tokens": 3000.0, "temperature": 0.0,
		}},
		"Claude, effort": {claude, "minimal", "", object{
			"thinking": object{"type": "adaptive"}, "output_config": object{"effort": "low"}, "max_tokens": 16384.0,
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			base := requests(t, c.settings, true, bad)[0]
			delete(base, "max_tokens")
			check := func(g llm.Generation, want object) {
				c.settings.Generation = g
				got := requests(t, c.settings, true, bad)[0]
				for member, value := range base {
					require.Equal(t, value, got[member])
					delete(got, member)
				}
				if want == nil {
					want = object{}
				}
				require.Equal(t, want, got)
			}
			g := llm.Generation{Effort: c.effort, Thinking: c.thinking}
			if c.additional != nil || c.sampling == nil {
				check(g, c.additional)
			}
			if c.sampling != nil {
				g.Temperature, g.MaxOutputTokens = &temperature, 3000
				check(g, c.sampling)
			}
		})
	}
}

func budget(kind string, tokens, maximum float64) object {
	thinking := object{"type": kind}
	if tokens > 0 {
		thinking["budget_tokens"] = tokens
	}
	return object{"thinking": thinking, "max_tokens": maximum}
}

func generationConfig(thinking object, sampling bool) object {
	config := object{}
	if thinking != nil {
		config["thinkingConfig"] = thinking
	}
	if sampling {
		config["temperature"], config["maxOutputTokens"] = 0.0, 3000.0
	}
	return object{"generationConfig": config}
}

func TestOpen_NoGeneration_RequestWithoutItsMembers(t *testing.T) {
	for _, s := range []provider.Settings{officialChat, responsesAPI, vllm, ollama, claude, claude4, gemini3, gemini2} {
		r := requests(t, s, true, providertest.JSON(400, `{}`))[0]
		for _, member := range []string{
			"reasoning_effort", "reasoning", "thinking", "output_config", "chat_template_kwargs", "generationConfig",
			"temperature", "max_completion_tokens", "max_output_tokens",
		} {
			require.NotContains(t, r, member)
		}
	}
}

func TestOpen_OllamaQwen3_DoesNotThinkByDefault(t *testing.T) {
	for model, want := range map[string]any{
		"": "none", "qwen3:8b": "none", "Qwen3.5": "none", "hf.co/unsloth/Qwen3-8B-GGUF:Q4": "none",
		"qwen3:4b-thinking": nil, "llama3.2": nil, "qwen2.5": nil,
	} {
		s := provider.Settings{Provider: "ollama", Model: model}
		require.Equal(t, want, requests(t, s, false, providertest.JSON(400, `{}`))[0]["reasoning_effort"], model)
	}
	for want, g := range map[string]llm.Generation{
		"medium": {Thinking: llm.ThinkingOn},
		"high":   {Effort: "high"},
	} {
		s := provider.Settings{Provider: "ollama", Generation: g}
		require.Equal(t, want, requests(t, s, false, providertest.JSON(400, `{}`))[0]["reasoning_effort"])
	}
}

func TestOpen_Fallback_HasGeneration(t *testing.T) {
	s := provider.Settings{
		OpenAIKey: key, Model: "gpt-5.4", AnthropicKey: key, Fallback: "anthropic",
		Generation: llm.Generation{Thinking: llm.ThinkingOff},
	}
	all := requests(t, s, false, providertest.JSON(503, `{}`), providertest.JSON(400, `{}`))
	require.Len(t, all, 2)
	require.Equal(t, "none", all[0]["reasoning_effort"])
	require.Equal(t, object{"type": "disabled"}, all[1]["thinking"])
}

func TestOpen_ThinkingRejected_IsLeftOut(t *testing.T) {
	off, on := llm.Generation{Thinking: llm.ThinkingOff}, llm.Generation{Thinking: llm.ThinkingOn}
	for name, c := range map[string]struct {
		settings   provider.Settings
		generation llm.Generation
		body       string
		member     string
	}{
		"Ollama before none": {
			ollama, off,
			`{"error":{"message":"invalid reasoning value: 'none' (must be \"high\", \"medium\", or \"low\")"}}`,
			"reasoning_effort",
		},
		"Ollama, no thinking": {
			ollama, on, `{"error":{"message":"\"llama3.2\" does not support thinking"}}`, "reasoning_effort",
		},
		"unnamed": {vllm, off, `{"message":"Extra fields not permitted"}`, "stream_options"},
		"by path": {
			vllm, off, `{"detail":[{"loc":["body","chat_template_kwargs"],"msg":"Extra inputs are not permitted"}]}`,
			"chat_template_kwargs",
		},
		"responses": {
			responsesAPI, on, `{"error":{"message":"Unsupported parameter: 'reasoning.effort'"}}`, "reasoning",
		},
		"Claude": {
			claude, off, `{"error":{"message":"\"thinking.type.disabled\" is not supported for this model."}}`, "thinking",
		},
		"Gemini": {
			gemini2, off, `{"error":{"message":"Budget 0 is invalid. This model only works in thinking mode."}}`,
			"thinkingConfig",
		},
	} {
		t.Run(name, func(t *testing.T) {
			temperature := 1.0
			c.settings.Generation, c.settings.Generation.Temperature = c.generation, &temperature
			all := requests(t, c.settings, true, providertest.JSON(400, c.body), providertest.JSON(400, `{}`))
			require.Len(t, all, 2)
			if g, ok := all[1]["generationConfig"]; ok {
				require.Equal(t, object{"temperature": 1.0}, g)
				return
			}
			require.Contains(t, all[0], c.member)
			require.NotContains(t, all[1], c.member)
			require.Len(t, all[1], len(all[0])-1)
		})
	}
}

func TestOpen_ThinkingInChatAPI_ErrorNamesBothSettings(t *testing.T) {
	for variable, g := range map[string]llm.Generation{
		"LLM_THINKING":         {Thinking: llm.ThinkingOn},
		"LLM_REASONING_EFFORT": {Effort: "low"},
	} {
		_, _, err := provider.Open(provider.Settings{OpenAIKey: key, OpenAIBaseURL: openai.DefaultBaseURL, Generation: g})
		require.ErrorContains(t, err, variable+": ")
		require.ErrorContains(t, err, "OPENAI_API=responses")
		_, _, err = provider.Open(provider.Settings{OpenAIKey: key, OpenAIAPI: provider.ResponsesAPI, Generation: g})
		require.NoError(t, err)
	}
}
