package llm

import (
	"encoding/json"

	"github.com/tmc/langchaingo/llms"
)

// ProviderParts carries what one provider must see again on the next call and
// nobody else can read: thinking blocks, thought signatures and the like. A
// provider leaves it in [llms.ContentChoice].GenerationInfo under [InfoParts];
// the caller stores it with the step and adds it to that step's AI message. It
// is sent only to the provider and model that made it, and only while the step's
// text and calls are unchanged, so it may be stored or lost without harm.
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

// MarshalJSON writes the stored form. It replaces the embedded part's method.
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

// PartsOf finds the provider parts of an answer.
func PartsOf(c *llms.ContentChoice) (ProviderParts, bool) {
	p, ok := c.GenerationInfo[InfoParts].(ProviderParts)
	return p, ok
}
