// Command peer sends requests to an aimock server (AIMOCK_URL) through every model provider
// and exits with 1 if a response or an error differs from the expected one. run.mjs starts it and
// contains the server's responses.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"errand/internal/llm"
	"errand/internal/llm/provider"
	"errand/internal/secret"

	"github.com/tmc/langchaingo/llms"
)

func main() {
	url := os.Getenv("AIMOCK_URL")
	if url == "" {
		fmt.Fprintln(os.Stderr, "AIMOCK_URL is not set; use npm test")
		os.Exit(2)
	}
	failed := 0
	for _, name := range names {
		failed += check(name, url)
	}
	failed += report("all", "one conversation through every provider", crossProvider(url))
	if failed > 0 {
		fmt.Printf("%d checks failed\n", failed)
		os.Exit(1)
	}
}

var names = []string{provider.OpenAI, provider.Ollama, provider.Gemini, provider.Anthropic}

func open(name, url string) (llms.Model, error) {
	key := secret.New("sk-planted")
	s := provider.Settings{
		Provider: name, OpenAIKey: key, GeminiKey: key, AnthropicKey: key,
		OpenAIBaseURL: url + "/v1", OllamaBaseURL: url, GeminiBaseURL: url, AnthropicBaseURL: url,
		Model: map[string]string{provider.OpenAI: "gpt-4o"}[name],
		HTTP: llm.HTTPOptions{
			IdleTimeout: 10 * time.Second,
			Log:         slog.New(slog.DiscardHandler),
			Retry:       llm.Retry{Base: 20 * time.Millisecond},
		},
	}
	m, _, err := provider.Open(s)
	return m, err
}

// check runs every scenario on one provider and counts the failures.
func check(name, url string) int {
	m, err := open(name, url)
	if err != nil {
		return report(name, "opens", err)
	}
	failed := report(name, "text, stream and usage", checkText(m))
	failed += report(name, "parallel calls and their results", checkToolLoop(m))
	failed += report(name, "a call without arguments", checkEmptyArguments(m))
	failed += report(name, "429, then a response", checkRateLimit(m, name))
	for _, f := range []struct {
		prompt string
		kinds  []llm.Kind
	}{
		{"broken server", []llm.Kind{llm.KindUnavailable}},
		{"wrong key", []llm.Kind{llm.KindAuth}},
		{"cut text", []llm.Kind{llm.KindTruncated}},
		{"drop me", []llm.Kind{llm.KindUnavailable, llm.KindTruncated}},
		{"garble me", []llm.Kind{llm.KindUnavailable, llm.KindTruncated}},
		{"cut call", []llm.Kind{llm.KindTruncated}},
	} {
		if name == provider.Gemini && f.prompt == "cut call" {
			continue // Gemini sends each call in one chunk
		}
		failed += report(name, f.prompt, checkError(m, f.prompt, f.kinds))
	}
	return failed
}

func report(name, title string, err error) int {
	if err != nil {
		fmt.Printf("FAIL %-10s %s: %v\n", name, title, err)
		return 1
	}
	fmt.Printf("ok   %-10s %s\n", name, title)
	return 0
}

func tools() []llms.Tool {
	schema := map[string]any{"type": "object", "properties": map[string]any{"title": map[string]any{"type": "string"}}}
	return []llms.Tool{
		{Type: "function", Function: &llms.FunctionDefinition{Name: "add_task", Parameters: schema}},
		{Type: "function", Function: &llms.FunctionDefinition{Name: "list_tasks"}},
	}
}

// generate makes one model call and checks that the streamed chunks add up to the content.
func generate(m llms.Model, history []llms.MessageContent) (*llms.ContentChoice, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var streamed strings.Builder
	resp, err := m.GenerateContent(
		ctx,
		history,
		llms.WithTools(tools()),
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			streamed.Write(chunk)
			return nil
		}),
	)
	if err != nil {
		return nil, err
	}
	if c := resp.Choices[0]; c.Content != streamed.String() {
		return nil, fmt.Errorf("streamed %q, returned %q", streamed.String(), c.Content)
	}
	return resp.Choices[0], nil
}

func conversation(prompt string) []llms.MessageContent {
	return []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list."),
		llms.TextParts(llms.ChatMessageTypeHuman, prompt),
	}
}

func expect(field string, got, want any) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", field, got, want)
	}
	return nil
}

func checkText(m llms.Model) error {
	c, err := generate(m, conversation("hello"))
	if err != nil {
		return err
	}
	return errors.Join(
		expect("content", c.Content, "Good morning to you."),
		expect("reason", c.StopReason, llm.StopEnd),
		expect("input tokens", c.GenerationInfo[llm.InfoInputTokens], 21),
		expect("output tokens", c.GenerationInfo[llm.InfoOutputTokens], 9),
	)
}

// withResults appends a step and made-up results of its calls to the history.
func withResults(history []llms.MessageContent, c *llms.ContentChoice) []llms.MessageContent {
	ai := llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.TextPart(c.Content)}}
	if p, ok := llm.PartsOf(c); ok {
		ai.Parts = append(ai.Parts, p)
	}
	for _, call := range c.ToolCalls {
		ai.Parts = append(ai.Parts, call)
	}
	history = append(history, ai)
	for i, call := range c.ToolCalls {
		history = append(
			history,
			llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{
				ToolCallID: call.ID, Name: call.FunctionCall.Name, Content: fmt.Sprintf(`{"task":{"number":%d}}`, i+1),
			}}},
		)
	}
	return history
}

func checkCalls(c *llms.ContentChoice) error {
	if len(c.ToolCalls) != 2 {
		return fmt.Errorf("got %d calls, want 2", len(c.ToolCalls))
	}
	a, b := c.ToolCalls[0], c.ToolCalls[1]
	return errors.Join(
		expect("content", c.Content, "I will add them."),
		expect("reason", c.StopReason, llm.StopToolCalls),
		expect("first", a.FunctionCall.Name+a.FunctionCall.Arguments, `add_task{"title":"Milk ümläut 🥛"}`),
		expect("second", b.FunctionCall.Name+b.FunctionCall.Arguments, `add_task{"title":"Bread"}`),
		expect("ids differ", a.ID != b.ID && a.ID != "" && b.ID != "", true),
	)
}

func checkToolLoop(m llms.Model) error {
	history := conversation("groceries")
	c, err := generate(m, history)
	if err != nil {
		return err
	}
	if err := checkCalls(c); err != nil {
		return err
	}
	c, err = generate(m, withResults(history, c))
	if err != nil {
		return err
	}
	return expect("after the results", c.Content, "Both are on the list.")
}

func checkEmptyArguments(m llms.Model) error {
	c, err := generate(m, conversation("list everything"))
	if err != nil {
		return err
	}
	if len(c.ToolCalls) != 1 {
		return fmt.Errorf("got %d calls, want 1", len(c.ToolCalls))
	}
	return expect("call", c.ToolCalls[0].FunctionCall.Name+c.ToolCalls[0].FunctionCall.Arguments, "list_tasks{}")
}

func checkRateLimit(m llms.Model, name string) error {
	start := time.Now()
	c, err := generate(m, conversation("busy "+name))
	if err != nil {
		return err
	}
	return errors.Join(
		expect("content", c.Content, "Now I have time."),
		expect("waited for Retry-After", time.Since(start) >= time.Second, true),
	)
}

func checkError(m llms.Model, prompt string, kinds []llm.Kind) error {
	c, err := generate(m, conversation(prompt))
	if err == nil {
		return fmt.Errorf("returned %q, want an error", c.Content)
	}
	if strings.Contains(err.Error(), "sk-planted") {
		return errors.New("the error shows the planted key")
	}
	for _, k := range kinds {
		if llm.KindOf(err) == k {
			return nil
		}
	}
	return fmt.Errorf("kind %q is none of %v: %w", llm.KindOf(err), kinds, err)
}

// crossProvider continues one conversation, tool calls included, with one provider after the other.
func crossProvider(url string) error {
	history := conversation("groceries")
	for i, name := range names {
		m, err := open(name, url)
		if err != nil {
			return err
		}
		c, err := generate(m, history)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if i == 0 {
			history = withResults(history, c)
			continue
		}
		if c.Content == "" {
			return fmt.Errorf("%s: returned no text", name)
		}
		history = append(withResults(history, c), llms.TextParts(llms.ChatMessageTypeHuman, "and then"))
	}
	return nil
}
