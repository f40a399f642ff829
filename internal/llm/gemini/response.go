package gemini

import (
	"context"
	"encoding/json"

	"errand/internal/llm"
)

// chunk is one event of the stream.
type chunk struct {
	Candidates []struct {
		Index   llm.Number `json:"index"`
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
	PromptTokenCount        llm.Number `json:"promptTokenCount"`
	CandidatesTokenCount    llm.Number `json:"candidatesTokenCount"`
	ThoughtsTokenCount      llm.Number `json:"thoughtsTokenCount"`
	CachedContentTokenCount llm.Number `json:"cachedContentTokenCount"`
}

// receivedPart holds the fields of a response part that are read. The part itself is saved unchanged.
type receivedPart struct {
	Text             string        `json:"text"`
	Thought          bool          `json:"thought"`
	ThoughtSignature string        `json:"thoughtSignature"`
	FunctionCall     *functionCall `json:"functionCall"`
}

// decoder decodes one response.
type decoder struct {
	response *llm.Response
	saved    savedParts
}

// Decode implements [llm.Decoder]. The API has no terminal event: the response is complete after a finishReason. A
// server that does not stream returns the chunks as a JSON list.
func (d *decoder) Decode(ctx context.Context, e llm.Event) (done bool, err error) {
	var list []json.RawMessage
	if !e.Unstreamed || json.Unmarshal(e.Data, &list) != nil {
		list = []json.RawMessage{e.Data}
	}
	for _, data := range list {
		if err := d.decodeChunk(ctx, data); err != nil {
			return false, err
		}
	}
	return false, nil
}

// Finish implements [llm.Decoder].
func (d *decoder) Finish() { d.response.ProviderParts = d.saved.marshal() }

func (d *decoder) decodeChunk(ctx context.Context, data []byte) error {
	var c chunk
	if err := d.response.Unmarshal(data, &c); err != nil {
		return err
	}
	if u := c.UsageMetadata; u != nil {
		d.response.SetUsage(llm.UsageReport{
			Input:  u.PromptTokenCount,
			Output: llm.Sum(u.CandidatesTokenCount, u.ThoughtsTokenCount),
			Cached: u.CachedContentTokenCount,
		})
	}
	if c.PromptFeedback.BlockReason != "" {
		d.response.StopReason = llm.StopFiltered
	}
	for _, candidate := range c.Candidates {
		if candidate.Index.Value != 0 {
			continue
		}
		for _, raw := range candidate.Content.Parts {
			if err := d.addPart(ctx, raw); err != nil {
				return err
			}
		}
		if candidate.FinishReason != "" {
			d.response.StopReason = stopReason(candidate.FinishReason)
		}
	}
	return nil
}

// addPart handles one part. A thought is not shown, and saved only if it has a signature.
func (d *decoder) addPart(ctx context.Context, raw json.RawMessage) error {
	var p receivedPart
	if err := d.response.Unmarshal(raw, &p); err != nil {
		return err
	}
	if p.Thought && p.ThoughtSignature == "" {
		return nil
	}
	d.saved.add(raw, p)
	if c := p.FunctionCall; c != nil {
		d.response.AddToolCall(c.ID, c.Name, string(c.Args))
		return nil
	}
	if p.Thought {
		return nil
	}
	return d.response.AddText(ctx, p.Text)
}

func stopReason(reason string) string {
	switch reason {
	case "MAX_TOKENS":
		return llm.StopLength
	case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY":
		return llm.StopFiltered
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS":
		return llm.StopMalformed
	case "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "OTHER":
		return llm.StopFailed
	default:
		return llm.StopEnd
	}
}
