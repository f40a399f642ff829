package anthropic

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"errand/internal/llm"
)

// event is one event of the stream. With type "message" it is the complete response of a server that did not stream.
type event struct {
	Type    string     `json:"type"`
	Index   llm.Number `json:"index"`
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
	InputTokens              llm.Number `json:"input_tokens"`
	CacheReadInputTokens     llm.Number `json:"cache_read_input_tokens"`
	CacheCreationInputTokens llm.Number `json:"cache_creation_input_tokens"`
	OutputTokens             llm.Number `json:"output_tokens"`
}

// decoder decodes one response.
type decoder struct {
	response   *llm.Response
	inputHash  string
	blocks     []*partialBlock
	stopReason string
}

// partialBlock is a block that deltas add to.
type partialBlock struct {
	block
	index     int
	text      strings.Builder // of text and thinking blocks
	arguments []string        // fragments
}

// maxBlocks is the maximum number of content blocks in one response.
const maxBlocks = 1024

// Decode implements [llm.Decoder]. The terminal event is message_stop, but the response is complete after a stop
// reason; compatible servers leave message_stop out. Unknown events are ignored, as the versioning
// rules of the API require.
func (d *decoder) Decode(ctx context.Context, ev llm.Event) (done bool, err error) {
	var e event
	if err := d.response.Unmarshal(ev.Data, &e); err != nil {
		return false, err
	}
	switch kind := cmp.Or(e.Type, ev.Name); kind {
	case "":
		if ev.Unstreamed {
			return false, d.response.Malformed()
		}
	case "error":
		return false, d.response.Malformed()
	case "message_start":
		d.addUsage(e.Message.Usage)
	case "content_block_start":
		if d.findBlock(e.Index.Value) != nil || len(d.blocks) >= maxBlocks {
			return false, d.response.Malformed()
		}
		return false, d.addBlock(ctx, e.Index.Value, e.ContentBlock)
	case "content_block_delta":
		b := d.findBlock(e.Index.Value)
		if b == nil {
			return false, d.response.Malformed()
		}
		return false, d.addDelta(ctx, b, e)
	case "message_delta":
		d.addUsage(e.Usage)
		if e.Delta.StopReason != "" {
			d.stopReason = e.Delta.StopReason
			d.response.StopReason = stopReason(d.stopReason) // compatible servers may end the stream here
		}
	case "message_stop":
		return true, nil
	case "message":
		d.addUsage(e.Usage)
		d.stopReason = e.StopReason
		for i, b := range e.Content {
			if err := d.addBlock(ctx, i, b); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

func (d *decoder) findBlock(index int) *partialBlock {
	for _, b := range d.blocks {
		if b.index == index {
			return b
		}
	}
	return nil
}

func (d *decoder) addBlock(ctx context.Context, index int, b block) error {
	p := &partialBlock{block: b, index: index}
	d.blocks = append(d.blocks, p)
	switch b.Type {
	case "text":
		p.text.WriteString(b.Text)
		return d.response.AddText(ctx, b.Text)
	case "thinking":
		if b.Thinking != nil {
			p.text.WriteString(*b.Thinking)
		}
	}
	return nil
}

func (d *decoder) addDelta(ctx context.Context, b *partialBlock, e event) error {
	switch e.Delta.Type {
	case "text_delta":
		b.text.WriteString(e.Delta.Text)
		return d.response.AddText(ctx, e.Delta.Text)
	case "thinking_delta":
		b.text.WriteString(e.Delta.Thinking)
	case "signature_delta":
		b.Signature += e.Delta.Signature
	case "input_json_delta":
		b.arguments = append(b.arguments, e.Delta.PartialJSON)
	}
	return nil
}

// addUsage records a report; the counts only grow during a response. The input tokens of this API exclude cached ones,
// so those are added.
func (d *decoder) addUsage(u usage) {
	before := d.response.Usage
	d.response.SetUsage(llm.UsageReport{
		Input:  llm.Sum(u.InputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens),
		Output: u.OutputTokens,
		Cached: u.CacheReadInputTokens,
	})
	r := &d.response.Usage
	r.Input, r.Cached, r.Output = max(r.Input, before.Input), max(r.Cached, before.Cached), max(r.Output, before.Output)
}

// Finish implements [llm.Decoder]. It adds the tool calls, and saves all blocks if there is a thinking block.
func (d *decoder) Finish() {
	d.response.StopReason = stopReason(d.stopReason)
	saved := savedParts{InputHash: d.inputHash}
	hasThinking := false
	for _, p := range d.blocks {
		b := p.block
		switch b.Type {
		case "text":
			b.Text = p.text.String()
		case "thinking":
			text := p.text.String()
			b.Thinking, hasThinking = &text, true
		case "redacted_thinking":
			hasThinking = true
		case "tool_use":
			call := d.response.AddToolCall(b.ID, b.Name, append([]string{string(b.Input)}, p.arguments...)...)
			b.Name, b.Input = call.Name, call.Arguments
		default:
			continue // kinds of server-side tools
		}
		saved.Content = append(saved.Content, b)
	}
	if !hasThinking {
		return
	}
	if raw, err := json.Marshal(saved); err == nil {
		d.response.ProviderParts = raw
	}
}

func stopReason(reason string) string {
	switch reason {
	case "":
		return ""
	case "tool_use":
		return llm.StopToolCalls
	case "pause_turn":
		return llm.StopPaused
	case "max_tokens", "model_context_window_exceeded":
		return llm.StopLength
	case "refusal":
		return llm.StopFiltered
	default:
		return llm.StopEnd
	}
}
