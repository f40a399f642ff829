package gemini

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"errand/internal/llm"
)

// chunk is one event of the stream.
type chunk struct {
	Candidates []struct {
		Index   int `json:"index"`
		Content struct {
			Parts []json.RawMessage `json:"parts"`
		} `json:"content"`
		FinishReason string `json:"finishReason"`
	} `json:"candidates"`
	PromptFeedback struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	UsageMetadata *usage `json:"usageMetadata"`
}

type usage struct {
	PromptTokenCount        int `json:"promptTokenCount"`
	CandidatesTokenCount    int `json:"candidatesTokenCount"`
	ThoughtsTokenCount      int `json:"thoughtsTokenCount"`
	CachedContentTokenCount int `json:"cachedContentTokenCount"`
}

// received is what is read of a part; the part itself is kept as it came.
type received struct {
	Text             string        `json:"text"`
	Thought          bool          `json:"thought"`
	ThoughtSignature string        `json:"thoughtSignature"`
	FunctionCall     *functionCall `json:"functionCall"`
}

// assembly collects the parts of one answer.
type assembly struct {
	reply *llm.Reply
	extra extra
}

// read consumes the stream to its end. The answer is complete once a
// finishReason has come; the wire has no closing event.
func (a *assembly) read(ctx context.Context, s *llm.Stream) error {
	for {
		ev, err := s.Next()
		if err != nil {
			if a.reply.Stop != "" && (errors.Is(err, io.EOF) || s.Interrupted(err)) {
				a.extra.save(a.reply)
				return nil
			}
			if errors.Is(err, io.EOF) {
				return s.Truncated()
			}
			return err
		}
		for _, data := range events(ev) {
			if err := a.take(ctx, s, data); err != nil {
				return err
			}
		}
		if a.reply.Stop != "" {
			s.Finishing()
		}
	}
}

// events splits an answer that came as one JSON list.
func events(ev llm.Event) [][]byte {
	data := bytes.TrimSpace(ev.Data)
	if len(data) == 0 {
		return nil
	}
	var list []json.RawMessage
	if !ev.Whole || json.Unmarshal(data, &list) != nil {
		return [][]byte{data}
	}
	out := make([][]byte, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}

func (a *assembly) take(ctx context.Context, s *llm.Stream, data []byte) error {
	if err := s.Problem(data); err != nil {
		return err
	}
	var c chunk
	if json.Unmarshal(data, &c) != nil {
		return s.Malformed()
	}
	if u := c.UsageMetadata; u != nil {
		a.reply.Usage = llm.Usage{
			Input:  u.PromptTokenCount,
			Output: u.CandidatesTokenCount + u.ThoughtsTokenCount,
			Cached: u.CachedContentTokenCount,
		}
	}
	if c.PromptFeedback.BlockReason != "" {
		a.reply.Stop = llm.StopRefused
	}
	for _, candidate := range c.Candidates {
		if candidate.Index != 0 {
			continue
		}
		for _, raw := range candidate.Content.Parts {
			if err := a.part(ctx, s, raw); err != nil {
				return err
			}
		}
		if candidate.FinishReason != "" {
			a.reply.Stop = stopReason(candidate.FinishReason)
		}
	}
	return nil
}

// part takes one part. Thoughts are neither shown nor sent back.
func (a *assembly) part(ctx context.Context, s *llm.Stream, raw json.RawMessage) error {
	var p received
	if json.Unmarshal(raw, &p) != nil {
		return s.Malformed()
	}
	if p.Thought && p.ThoughtSignature == "" {
		return nil
	}
	a.extra.add(raw, p)
	if c := p.FunctionCall; c != nil {
		a.reply.Call(c.ID, c.Name, string(c.Args))
		return nil
	}
	if p.Thought {
		return nil
	}
	return a.reply.Text(ctx, p.Text)
}

func stopReason(reason string) string {
	switch reason {
	case "MAX_TOKENS":
		return llm.StopLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY":
		return llm.StopRefused
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
		"MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "OTHER":
		return llm.StopFailed
	default:
		return llm.StopEnd
	}
}
