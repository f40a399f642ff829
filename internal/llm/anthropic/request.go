package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"errand/internal/llm"
)

// request is the body of POST /v1/messages; unused fields are left out.
type request struct {
	Model        string        `json:"model"`
	MaxTokens    int           `json:"max_tokens"`
	System       string        `json:"system,omitempty"`
	Messages     []message     `json:"messages"`
	Tools        []tool        `json:"tools,omitempty"`
	ToolChoice   *toolChoice   `json:"tool_choice,omitempty"`
	Stream       bool          `json:"stream"`
	CacheControl *cacheControl `json:"cache_control,omitempty"`
	Thinking     *thinking     `json:"thinking,omitempty"`
	OutputConfig *outputConfig `json:"output_config,omitempty"`
	Temperature  *float64      `json:"temperature,omitempty"`
}

// cacheControl marks the end of a prefix that the API caches. At the top level it marks the growing prompt, which
// reduces the cost from the second step of a tool loop on. The API accepts four marks.
type cacheControl struct {
	Type string `json:"type"`
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// block is a content block of any kind; Type determines which fields are used.
type block struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
	// thinking and redacted_thinking. Thinking is sent even if it is empty: newer models omit the text but sign the
	// block.
	Thinking  *string `json:"thinking,omitempty"`
	Signature string  `json:"signature,omitempty"`
	Data      string  `json:"data,omitempty"`
	// tool_use
	ID    string          `json:"id,omitempty"`
	Name  string          `json:"name,omitempty"`
	Input json.RawMessage `json:"input,omitempty"`
	// tool_result
	ToolUseID string `json:"tool_use_id,omitempty"`
	Content   string `json:"content,omitempty"`
	IsError   bool   `json:"is_error,omitempty"`

	CacheControl *cacheControl `json:"cache_control,omitempty"`
}

type tool struct {
	Name         string          `json:"name"`
	Description  string          `json:"description,omitempty"`
	InputSchema  json.RawMessage `json:"input_schema"`
	CacheControl *cacheControl   `json:"cache_control,omitempty"`
}

type toolChoice struct {
	Type string `json:"type"`
}

// newRequest returns the body and the hash of all input.
func newRequest(c llm.Config, o llm.Options, h llm.History) (r request, inputHash string, err error) {
	r = request{
		Model:        c.Model,
		System:       h.System,
		Stream:       true,
		CacheControl: ephemeral,
	}
	r.setGeneration(c.Model, c.Generation)
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{Name: t.Name, Description: t.Description, InputSchema: t.Schema})
	}
	if o.NoToolCalls && len(o.Tools) > 0 { // the API requires declarations for the calls in the history
		r.ToolChoice = &toolChoice{Type: "none"}
	}
	e := encoder{model: c.Model}
	if err := e.addHash(r.System, r.Tools); err != nil {
		return request{}, "", err
	}
	for _, t := range h.StartWithUser() {
		if err := e.addTurn(t); err != nil {
			return request{}, "", err
		}
	}
	err = e.flushResults()
	r.Messages = e.messages
	r.markPrefixes(e.finished)
	return r, e.inputHash, err
}

// markPrefixes marks the ends of the prefixes that the next turn has too: the tools and the finished turns. The hash of
// the input does not cover the marks, which move from turn to turn.
func (r *request) markPrefixes(finished position) {
	if n := len(r.Tools); n > 0 {
		r.Tools[n-1].CacheControl = ephemeral
	}
	if finished.blocks == 0 {
		return
	}
	content := r.Messages[finished.message].Content
	if b := &content[finished.blocks-1]; b.Type != "thinking" && b.Type != "redacted_thinking" { // which take no mark
		b.CacheControl = ephemeral
	}
}

var ephemeral = &cacheControl{Type: "ephemeral"}

// position is the end of the first blocks of a message.
type position struct{ message, blocks int }

// encoder converts turns to messages and hashes the messages.
type encoder struct {
	model     string
	messages  []message
	inputHash string
	results   []block // tool results of the last assistant message, which begin the next user message
	// finished is the end of what precedes the newest text of the user; without blocks if there is nothing.
	finished position
}

// addHash adds values to the hash, in a canonical form because a database may reorder the keys of stored JSON.
func (e *encoder) addHash(values ...any) error {
	sum := sha256.New()
	sum.Write([]byte(e.inputHash))
	for _, v := range values {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			return err
		}
		canonical, err := json.Marshal(value)
		if err != nil {
			return err
		}
		sum.Write(canonical)
	}
	e.inputHash = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (e *encoder) addMessage(m message) error {
	e.messages = append(e.messages, m)
	return e.addHash(m)
}

// end returns the position after all blocks so far.
func (e *encoder) end() position {
	switch last := len(e.messages) - 1; {
	case len(e.results) > 0:
		return position{len(e.messages), len(e.results)}
	case last >= 0:
		return position{last, len(e.messages[last].Content)}
	default:
		return position{}
	}
}

// flushResults adds the tool results that no text of the user follows.
func (e *encoder) flushResults() error {
	if len(e.results) == 0 {
		return nil
	}
	m := message{Role: "user", Content: e.results}
	e.results = nil
	return e.addMessage(m)
}

// addTurn adds one turn. The tool results must begin the user message after their calls.
func (e *encoder) addTurn(t llm.Turn) error {
	if t.User {
		e.finished = e.end()
		for _, text := range t.Texts() {
			e.results = append(e.results, block{Type: "text", Text: text})
		}
		return e.flushResults()
	}
	if err := e.flushResults(); err != nil {
		return err
	}
	for _, call := range t.Calls {
		e.results = append(e.results, block{
			Type:      "tool_result",
			ToolUseID: validID(call.ID),
			Content:   call.Result,
			IsError:   isError(call.Result),
		})
	}
	return e.addMessage(message{Role: "assistant", Content: e.assistantBlocks(t)})
}

// assistantBlocks returns the saved blocks of a turn or, without valid ones, blocks for its text and calls.
func (e *encoder) assistantBlocks(t llm.Turn) []block {
	if blocks, ok := e.savedBlocks(t); ok {
		return blocks
	}
	var out []block
	if strings.TrimSpace(t.Text) != "" {
		out = append(out, block{Type: "text", Text: t.Text})
	}
	for _, call := range t.Calls {
		out = append(out, block{Type: "tool_use", ID: validID(call.ID), Name: call.Name, Input: call.Arguments})
	}
	return out
}

func isError(result string) bool {
	var r struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal([]byte(result), &r) == nil && r.Error != nil
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// validID returns a call id that the API accepts; other providers use other characters.
func validID(id string) string {
	if idPattern.MatchString(id) {
		return id
	}
	return llm.ShortCallID(id)
}
