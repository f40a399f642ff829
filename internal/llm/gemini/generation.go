package gemini

import "errand/internal/llm"

type generationConfig struct {
	Temperature     *float64        `json:"temperature,omitempty"`
	MaxOutputTokens int             `json:"maxOutputTokens,omitempty"`
	ThinkingConfig  *thinkingConfig `json:"thinkingConfig,omitempty"`
}

// thinkingConfig has a level since Gemini 3 and a budget before.
type thinkingConfig struct {
	ThinkingLevel  string `json:"thinkingLevel,omitempty"`
	ThinkingBudget *int   `json:"thinkingBudget,omitempty"`
}

// budgets maps efforts to the budgets of Gemini 2; "" means that the model chooses.
var budgets = map[string]int{"": -1, "minimal": 512, "low": 1024, "medium": 8192, "high": 24576}

// newGenerationConfig returns nil if nothing is set.
func newGenerationConfig(model string, g llm.Generation) *generationConfig {
	c := generationConfig{
		Temperature:     g.Temperature,
		MaxOutputTokens: g.MaxOutputTokens,
		ThinkingConfig:  newThinkingConfig(model, g),
	}
	if c == (generationConfig{}) {
		return nil
	}
	return &c
}

func newThinkingConfig(model string, g llm.Generation) *thinkingConfig {
	if !g.EnablesThinking() && !g.DisablesThinking() {
		return nil
	}
	if !hasThinkingLevels(model) {
		budget := 0
		if g.EnablesThinking() {
			budget = budgets[g.Effort]
		}
		return &thinkingConfig{ThinkingBudget: &budget}
	}
	switch {
	case g.DisablesThinking():
		return &thinkingConfig{ThinkingLevel: "minimal"} // the lowest: these models always think
	case g.Effort == "":
		return nil
	default:
		return &thinkingConfig{ThinkingLevel: g.Effort}
	}
}

// hasThinkingLevels reports whether the model is of Gemini 3 or later.
func hasThinkingLevels(model string) bool { return requiresSignature(model) }
