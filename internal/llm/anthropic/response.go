package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"errand/internal/llm"
)

// event is one event of the stream, or with type "message" the whole answer of
// a server that did not stream.
type event struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		Usage usage `json:"usage"`
	} `json:"message"`
	ContentBlock block `json:"content_block"`
	Delta        struct {
		Type        string `json:"type"`
		Text        string `json:"text"`
		PartialJSON string `json:"partial_json"`
		Thinking    string `json:"thinking"`
		Signature   string `json:"signature"`
		StopReason  string `json:"stop_reason"`
	} `json:"delta"`
	Usage      usage   `json:"usage"`
	Content    []block `json:"content"`
	StopReason string  `json:"stop_reason"`
}

type usage struct {
	InputTokens              int `json:"input_tokens"`
	CacheReadInputTokens     int `json:"cache_read_input_tokens"`
	CacheCreationInputTokens int `json:"cache_creation_input_tokens"`
	OutputTokens             int `json:"output_tokens"`
}

// assembly collects the blocks of one answer.
type assembly struct {
	reply  *llm.Reply
	prefix string
	blocks []*growing
	stop   string
}

// growing is a block that deltas add to.
type growing struct {
	block
	index     int
	text      strings.Builder // of text and thinking blocks
	arguments strings.Builder
}

// maxBlocks bounds the content blocks of one answer.
const maxBlocks = 1024

// read consumes the stream up to message_stop, its one terminal event.
func (a *assembly) read(ctx context.Context, s *llm.Stream) error {
	for {
		ev, err := s.Next()
		if errors.Is(err, io.EOF) {
			return s.Truncated()
		}
		if err != nil {
			return err
		}
		if len(ev.Data) == 0 {
			continue
		}
		if err := s.Problem(ev.Data); err != nil {
			return err
		}
		var e event
		if json.Unmarshal(ev.Data, &e) != nil || e.Type == "" || e.Type == "error" {
			return s.Malformed()
		}
		done, err := a.take(ctx, s, e)
		if err != nil {
			return err
		}
		if done {
			return a.finish()
		}
	}
}

// take handles one event and reports whether it was the last. Unknown events
// are skipped, as the wire's versioning rules demand.
func (a *assembly) take(ctx context.Context, s *llm.Stream, e event) (bool, error) {
	switch e.Type {
	case "message_start":
		a.usage(e.Message.Usage)
	case "content_block_start":
		if a.find(e.Index) != nil || len(a.blocks) >= maxBlocks {
			return false, s.Malformed()
		}
		return false, a.open(ctx, e.Index, e.ContentBlock)
	case "content_block_delta":
		g := a.find(e.Index)
		if g == nil {
			return false, s.Malformed()
		}
		return false, a.grow(ctx, g, e)
	case "message_delta":
		a.usage(e.Usage)
		if e.Delta.StopReason != "" {
			a.stop = e.Delta.StopReason
		}
	case "message_stop":
		return true, nil
	case "message":
		a.usage(e.Usage)
		a.stop = e.StopReason
		for i, b := range e.Content {
			if err := a.open(ctx, i, b); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

func (a *assembly) find(index int) *growing {
	for _, g := range a.blocks {
		if g.index == index {
			return g
		}
	}
	return nil
}

func (a *assembly) open(ctx context.Context, index int, b block) error {
	g := &growing{block: b, index: index}
	a.blocks = append(a.blocks, g)
	switch b.Type {
	case "text":
		g.text.WriteString(b.Text)
		return a.reply.Text(ctx, b.Text)
	case "thinking":
		if b.Thinking != nil {
			g.text.WriteString(*b.Thinking)
		}
	}
	return nil
}

func (a *assembly) grow(ctx context.Context, g *growing, e event) error {
	switch e.Delta.Type {
	case "text_delta":
		g.text.WriteString(e.Delta.Text)
		return a.reply.Text(ctx, e.Delta.Text)
	case "thinking_delta":
		g.text.WriteString(e.Delta.Thinking)
	case "signature_delta":
		g.Signature += e.Delta.Signature
	case "input_json_delta":
		g.arguments.WriteString(e.Delta.PartialJSON)
	}
	return nil
}

// usage takes a report; the counts only grow in the course of an answer. Cached
// tokens are not among the input tokens on this wire, so they are added.
func (a *assembly) usage(u usage) {
	r := &a.reply.Usage
	r.Input = max(r.Input, u.InputTokens+u.CacheReadInputTokens+u.CacheCreationInputTokens)
	r.Cached = max(r.Cached, u.CacheReadInputTokens)
	r.Output = max(r.Output, u.OutputTokens)
}

// finish closes the blocks and keeps them for the next request if there was
// thinking among them.
func (a *assembly) finish() error {
	a.reply.Stop = stopReason(a.stop)
	e := extra{Prefix: a.prefix}
	thought := false
	for _, g := range a.blocks {
		b := g.block
		switch b.Type {
		case "text":
			b.Text = g.text.String()
		case "thinking":
			text := g.text.String()
			b.Thinking, thought = &text, true
		case "redacted_thinking":
			thought = true
		case "tool_use":
			if g.arguments.Len() > 0 || len(b.Input) == 0 {
				b.Input = json.RawMessage(g.arguments.String())
			}
			a.reply.Call(b.ID, b.Name, string(b.Input))
			if len(b.Input) == 0 {
				b.Input = json.RawMessage(`{}`)
			}
		default:
			continue // kinds that only server-side tools make
		}
		e.Content = append(e.Content, b)
	}
	if !thought {
		return nil
	}
	raw, err := json.Marshal(e)
	if err == nil { // else a call's arguments are not JSON, which Finish reports
		a.reply.Extra = raw
	}
	return nil
}

func stopReason(reason string) string {
	switch reason {
	case "":
		return ""
	case "tool_use":
		return llm.StopToolCalls
	case "max_tokens", "model_context_window_exceeded":
		return llm.StopLength
	case "refusal":
		return llm.StopRefused
	default:
		return llm.StopEnd
	}
}
