package anthropic

import (
	"cmp"
	"regexp"

	"errand/internal/llm"
)

// thinking turns thinking on or off: adaptive, disabled or, in older models, enabled with a budget.
type thinking struct {
	Type         string `json:"type"`
	BudgetTokens int    `json:"budget_tokens,omitempty"`
}

type outputConfig struct {
	Effort string `json:"effort"`
}

// thinksWithinBudget are the models that have no adaptive thinking: those before Claude 4.6.
var thinksWithinBudget = regexp.MustCompile(`^claude-(?:[23]|[a-z]+-3|[a-z]+-4(?:-[0-5])?(?:-\d{8}|-latest|@|$))`)

// minBudget is the minimum of thinking.budget_tokens, which must be less than max_tokens.
const minBudget = 1024

// budgets maps efforts to the budgets of older models.
var budgets = map[string]int{"minimal": minBudget, "low": 2048, "medium": 4096, "high": 8192}

// setGeneration sets the members for the settings of generation. Thinking excludes a temperature.
func (r *request) setGeneration(model string, g llm.Generation) {
	r.MaxTokens = cmp.Or(g.MaxOutputTokens, maxTokens)
	switch {
	case g.DisablesThinking():
		r.Thinking = &thinking{Type: "disabled"}
	case g.EnablesThinking() && thinksWithinBudget.MatchString(model):
		budget := max(minBudget, min(budgets[g.ReasoningEffort()], r.MaxTokens-minBudget))
		r.Thinking = &thinking{Type: "enabled", BudgetTokens: budget}
	case g.EnablesThinking():
		r.Thinking = &thinking{Type: "adaptive"}
		if g.Effort == "minimal" {
			g.Effort = "low" // the lowest that Anthropic has
		}
		if g.Effort != "" {
			r.OutputConfig = &outputConfig{g.Effort}
		}
	}
	if !g.EnablesThinking() {
		r.Temperature = g.Temperature
	}
}
