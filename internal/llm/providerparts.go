package llm

import (
	"encoding/json"

	"github.com/tmc/langchaingo/llms"
)

// ProviderParts holds the parts of a response that only its provider understands and requires in the next request:
// thinking blocks, thought signatures and the like. A [Client] returns them in [llms.ContentChoice].GenerationInfo
// under [InfoParts]. The caller stores them with the step and adds them to the AI message of that step. They are sent
// only to the provider and model that made them, and only while the text and the tool calls of the step are unchanged.
// Losing them is harmless, except that the model loses its earlier thinking.
type ProviderParts struct {
	// TextContent makes the type an [llms.ContentPart]; it stays empty.
	llms.TextContent
	Provider string
	Model    string
	Raw      json.RawMessage
}

type storedParts struct {
	Type     string          `json:"type"`
	Provider string          `json:"provider"`
	Model    string          `json:"model"`
	Raw      json.RawMessage `json:"raw"`
}

// MarshalJSON returns the stored form. It overrides the method of the embedded type.
func (p ProviderParts) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedParts{Type: "provider_parts", Provider: p.Provider, Model: p.Model, Raw: p.Raw})
}

// UnmarshalJSON reads the stored form.
func (p *ProviderParts) UnmarshalJSON(data []byte) error {
	var s storedParts
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*p = ProviderParts{Provider: s.Provider, Model: s.Model, Raw: s.Raw}
	return nil
}

// PartsOf returns the provider parts of a response, if it has any.
func PartsOf(c *llms.ContentChoice) (ProviderParts, bool) {
	p, ok := c.GenerationInfo[InfoParts].(ProviderParts)
	return p, ok
}
