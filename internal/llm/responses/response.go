package responses

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"errand/internal/llm"
)

// event is one event of the stream, or the complete response of a server that did not stream. Of the many kinds of
// events only those in Decode are read; new kinds are skipped.
type event struct {
	Type        string          `json:"type"`
	OutputIndex llm.Number      `json:"output_index"`
	Delta       json.RawMessage `json:"delta"`
	Arguments   *string         `json:"arguments"`
	Item        json.RawMessage `json:"item"`
	Response    *response       `json:"response"`
	// Code is the code of an error event.
	Code json.RawMessage `json:"code"`
}

type response struct {
	Object            string            `json:"object"`
	Status            string            `json:"status"`
	Error             json.RawMessage   `json:"error"`
	Output            []json.RawMessage `json:"output"`
	IncompleteDetails struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Usage *struct {
		InputTokens        llm.Number `json:"input_tokens"`
		OutputTokens       llm.Number `json:"output_tokens"`
		InputTokensDetails struct {
			CachedTokens llm.Number `json:"cached_tokens"`
		} `json:"input_tokens_details"`
	} `json:"usage"`
}

type outputItem struct {
	Type      string        `json:"type"`
	CallID    llm.Text      `json:"call_id"`
	Name      llm.Text      `json:"name"`
	Arguments llm.Arguments `json:"arguments"`
	Content   []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	} `json:"content"`
}

// text returns the text of a message, refusals included.
func (i outputItem) text() string {
	var b strings.Builder
	for _, part := range i.Content {
		if i.Type == "message" {
			b.WriteString(part.Text + part.Refusal)
		}
	}
	return b.String()
}

// maxItems is the maximum number of output items in one response.
const maxItems = 512

// item is an output item as it arrives.
type item struct {
	outputItem
	raw       json.RawMessage // of the complete item
	said      strings.Builder // text that was passed on
	arguments []string        // fragments
}

// decoder decodes one response.
type decoder struct {
	response *llm.Response
	items    map[int]*item
}

// Decode implements [llm.Decoder]. Terminal events are response.completed, response.incomplete and response.failed.
func (d *decoder) Decode(ctx context.Context, e llm.Event) (done bool, err error) {
	if string(e.Data) == "[DONE]" { // some servers add it
		return true, nil
	}
	var v event
	if err := d.response.Unmarshal(e.Data, &v); err != nil {
		return false, err
	}
	if e.Unstreamed {
		v.Response = &response{}
		if err := d.response.Unmarshal(e.Data, v.Response); err != nil {
			return false, err
		}
		if v.Response.Output == nil && v.Response.Status != "failed" {
			return false, d.response.Malformed()
		}
		err := d.end(ctx, v.Response)
		return d.response.StopReason != "", err
	}
	switch v.Type {
	case "error":
		return false, d.fail(e.Data)
	case "response.output_item.added", "response.output_item.done":
		return false, d.addItem(ctx, v.OutputIndex.Value, v.Item, v.Type == "response.output_item.done")
	case "response.output_text.delta", "response.refusal.delta":
		return false, d.addText(ctx, v)
	case "response.function_call_arguments.delta":
		return false, d.addArguments(v)
	case "response.completed", "response.incomplete", "response.failed":
		if v.Response == nil {
			return false, d.response.Malformed()
		}
		return true, d.end(ctx, v.Response)
	}
	return false, nil
}

// fail returns the error of an object with a code.
func (d *decoder) fail(object json.RawMessage) error {
	report, _ := json.Marshal(map[string]json.RawMessage{"error": object})
	if err := d.response.Unmarshal(report, &struct{}{}); err != nil {
		return err
	}
	return d.response.Malformed()
}

func (d *decoder) at(index int) (*item, error) {
	if i := d.items[index]; i != nil {
		return i, nil
	}
	if index < 0 || len(d.items) >= maxItems {
		return nil, d.response.Malformed()
	}
	d.items[index] = &item{}
	return d.items[index], nil
}

// addItem records an item: its beginning, or the complete item with all that was not streamed.
func (d *decoder) addItem(ctx context.Context, index int, raw json.RawMessage, complete bool) error {
	i, err := d.at(index)
	if err != nil || len(raw) == 0 {
		return err
	}
	var v outputItem
	if err := d.response.Unmarshal(raw, &v); err != nil {
		return err
	}
	i.outputItem = v
	if !complete {
		return nil
	}
	i.raw = raw
	if rest, ok := strings.CutPrefix(v.text(), i.said.String()); ok {
		return d.say(ctx, i, rest)
	}
	return nil
}

func (d *decoder) addText(ctx context.Context, v event) error {
	i, err := d.at(v.OutputIndex.Value)
	if err != nil {
		return err
	}
	var text llm.Text
	if len(v.Delta) > 0 {
		_ = text.UnmarshalJSON(v.Delta) // never fails
	}
	return d.say(ctx, i, string(text))
}

func (d *decoder) say(ctx context.Context, i *item, text string) error {
	i.said.WriteString(text)
	return d.response.AddText(ctx, text)
}

func (d *decoder) addArguments(v event) error {
	i, err := d.at(v.OutputIndex.Value)
	if err != nil {
		return err
	}
	var part llm.Arguments
	if len(v.Delta) > 0 {
		_ = part.UnmarshalJSON(v.Delta) // never fails
	}
	i.arguments = append(i.arguments, string(part))
	return nil
}

// end records the terminal response. Items that had no events of their own are taken from it.
func (d *decoder) end(ctx context.Context, r *response) error {
	if report, _ := json.Marshal(map[string]json.RawMessage{"error": r.Error}); len(r.Error) > 0 {
		if err := d.response.Unmarshal(report, &struct{}{}); err != nil {
			return err
		}
	}
	for index, raw := range r.Output {
		if i := d.items[index]; i == nil || i.raw == nil {
			if err := d.addItem(ctx, index, raw, true); err != nil {
				return err
			}
		}
	}
	if u := r.Usage; u != nil {
		d.response.SetUsage(llm.UsageReport{
			Input:  u.InputTokens,
			Output: u.OutputTokens,
			Cached: u.InputTokensDetails.CachedTokens,
		})
	}
	switch {
	case r.Status == "failed" || r.Status == "cancelled":
		d.response.StopReason = llm.StopFailed
	case r.IncompleteDetails.Reason == "content_filter":
		d.response.StopReason = llm.StopFiltered
	case r.Status == "incomplete":
		d.response.StopReason = llm.StopLength
	case r.Status != "" && r.Object == "response" || len(r.Output) > 0 || len(d.items) > 0:
		d.response.StopReason = llm.StopEnd
	} // otherwise the body is no response of the API
	return nil
}

// normalize gives the item the name and the arguments of its call, which the API accepts in a history.
func (i *item) normalize(c llm.Call) {
	if i.raw != nil && (string(i.Name) != c.Name || string(i.Arguments) != string(c.Arguments)) {
		members := map[string]json.RawMessage{}
		if json.Unmarshal(i.raw, &members) == nil {
			members["name"], _ = json.Marshal(c.Name)
			members["arguments"], _ = json.Marshal(string(c.Arguments))
			i.raw, _ = json.Marshal(members)
		}
	}
	i.Name, i.Arguments = llm.Text(c.Name), llm.Arguments(c.Arguments)
}

// Finish implements [llm.Decoder]. It adds the tool calls in the order of the items.
func (d *decoder) Finish() {
	var parts savedParts
	for _, index := range slices.Sorted(maps.Keys(d.items)) {
		i := d.items[index]
		if i.Type == "function_call" {
			if i.Arguments == "" || i.Arguments == "{}" {
				i.Arguments = llm.Arguments(llm.JoinArguments(append(i.arguments, string(i.Arguments))...))
			}
			i.normalize(d.response.AddToolCall(string(i.CallID), string(i.Name), string(i.Arguments)))
		}
		if i.raw != nil && (i.Type == "function_call" || i.Type == "message" || i.Type == "reasoning") {
			parts.Items = append(parts.Items, savedItem{
				Type: i.Type, Text: i.text(), Name: string(i.Name), Arguments: string(i.Arguments), Raw: i.raw,
			})
		}
	}
	d.response.ProviderParts = parts.marshal()
}
