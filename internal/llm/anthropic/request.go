package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"errand/internal/llm"
)

// request is the body of POST /v1/messages, as far as it is used.
type request struct {
	Model         string        `json:"model"`
	MaxTokens     int           `json:"max_tokens"`
	System        string        `json:"system,omitempty"`
	Messages      []message     `json:"messages"`
	Tools         []tool        `json:"tools,omitempty"`
	ToolChoice    *toolChoice   `json:"tool_choice,omitempty"`
	Temperature   *float64      `json:"temperature,omitempty"`
	StopSequences []string      `json:"stop_sequences,omitempty"`
	Stream        bool          `json:"stream"`
	CacheControl  *cacheControl `json:"cache_control,omitempty"`
}

// cacheControl at the top level makes the API cache the prompt as it grows,
// which pays from the second step of a tool loop on.
type cacheControl struct {
	Type string `json:"type"`
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// block is a content block of any kind; the fields in use depend on Type.
type block struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
	// thinking and redacted_thinking. Thinking is sent even when empty: newer
	// models withhold the text and sign all the same.
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
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
}

type toolChoice struct {
	Type string `json:"type"`
	Name string `json:"name,omitempty"`
}

// newRequest builds the body and the hash of all that precedes the answer.
func newRequest(o llm.Options, h llm.History) (request, string, error) {
	r := request{
		Model: o.Model, MaxTokens: o.MaxTokens, System: h.System, Temperature: o.Temperature,
		StopSequences: o.Stop, Stream: true, CacheControl: &cacheControl{Type: "ephemeral"},
	}
	if r.MaxTokens == 0 {
		r.MaxTokens = defaultMaxTokens
	}
	for _, t := range o.Tools {
		r.Tools = append(r.Tools, tool{t.Name, t.Description, t.Schema})
	}
	if len(o.Tools) > 0 {
		r.ToolChoice = choice(o.Choice)
	}
	c := conversation{model: o.Model}
	if err := c.note(r.System, r.Tools); err != nil {
		return request{}, "", err
	}
	for _, t := range h.StartWithUser() {
		if err := c.turn(t); err != nil {
			return request{}, "", err
		}
	}
	err := c.flush()
	r.Messages = c.messages
	return r, c.prefix, err
}

func choice(c llm.Choice) *toolChoice {
	switch c.Mode {
	case "":
		return nil
	case "required":
		return &toolChoice{Type: "any"}
	case "tool":
		return &toolChoice{Type: "tool", Name: c.Tool}
	default:
		return &toolChoice{Type: c.Mode}
	}
}

// conversation writes turns as messages and hashes them as they are written.
type conversation struct {
	model    string
	messages []message
	prefix   string
	results  []block // of the last assistant message, opening the next user message
}

// note adds values to the hash. They are hashed in a canonical form, since a
// database may reorder the keys of stored JSON.
func (c *conversation) note(values ...any) error {
	sum := sha256.New()
	sum.Write([]byte(c.prefix))
	for _, v := range values {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var plain any
		if err := json.Unmarshal(data, &plain); err != nil {
			return err
		}
		canonical, err := json.Marshal(plain)
		if err != nil {
			return err
		}
		sum.Write(canonical)
	}
	c.prefix = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (c *conversation) add(m message) error {
	c.messages = append(c.messages, m)
	return c.note(m)
}

// flush writes results that no words of the user follow.
func (c *conversation) flush() error {
	if len(c.results) == 0 {
		return nil
	}
	m := message{Role: "user", Content: c.results}
	c.results = nil
	return c.add(m)
}

// turn writes one turn. Results must open the user message after their calls.
func (c *conversation) turn(t llm.Turn) error {
	if t.User {
		c.results = append(c.results, block{Type: "text", Text: t.Text})
		return c.flush()
	}
	if err := c.flush(); err != nil {
		return err
	}
	for _, call := range t.Calls {
		c.results = append(
			c.results,
			block{Type: "tool_result", ToolUseID: wireID(call.ID), Content: call.Result, IsError: isError(call.Result)},
		)
	}
	return c.add(message{Role: "assistant", Content: c.assistant(t)})
}

// assistant writes a turn from its own blocks where they are known, else from
// its text and calls.
func (c *conversation) assistant(t llm.Turn) []block {
	if blocks, ok := c.restore(t); ok {
		return blocks
	}
	var out []block
	if strings.TrimSpace(t.Text) != "" {
		out = append(out, block{Type: "text", Text: t.Text})
	}
	for _, call := range t.Calls {
		out = append(out, block{Type: "tool_use", ID: wireID(call.ID), Name: call.Name, Input: call.Arguments})
	}
	return out
}

func isError(result string) bool {
	var r struct {
		Error json.RawMessage `json:"error"`
	}
	return json.Unmarshal([]byte(result), &r) == nil && r.Error != nil
}

var proper = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// wireID makes other providers' call ids fit the pattern this wire demands.
func wireID(id string) string {
	if proper.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}
