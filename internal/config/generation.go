package config

// minThinkingOutput is the minimum of LLM_MAX_OUTPUT_TOKENS for models of Anthropic that think: the minimum of their
// thinking and as much for the answer.
const minThinkingOutput = 2048

// validateGeneration checks the settings of how models generate, and those that exclude each other.
func (l *LLM) validateGeneration(errs *Errors) {
	if l.ReasoningEffort != "" {
		validateOneOf(errs, "LLM_REASONING_EFFORT", l.ReasoningEffort, "none", "minimal", "low", "medium", "high")
	}
	validateOneOf(errs, "LLM_THINKING", l.Thinking, ThinkingAuto, "on", "off")
	if t := l.Temperature; t != nil && !(*t >= 0 && *t <= 2) { // also NaN
		errs.add("LLM_TEMPERATURE", "is not a temperature", "0 to 2")
	}
	if l.MaxOutputTokens != 0 {
		validateRange(errs, "LLM_MAX_OUTPUT_TOKENS", l.MaxOutputTokens, 256, 128_000)
	}
	effort := l.ReasoningEffort != "" && l.ReasoningEffort != "none"
	switch {
	case l.Thinking == "off" && effort:
		errs.add("LLM_REASONING_EFFORT", "needs thinking, but LLM_THINKING is off", "none or empty, or LLM_THINKING=auto")
	case l.Thinking == "on" && l.ReasoningEffort == "none":
		errs.add("LLM_REASONING_EFFORT", "is none, but LLM_THINKING is on", "another or empty, or LLM_THINKING=auto")
	}
	if l.ContextTokens != 0 && l.MaxOutputTokens >= l.ContextTokens {
		errs.add("LLM_MAX_OUTPUT_TOKENS", "is not less than LLM_CONTEXT_TOKENS", "less than LLM_CONTEXT_TOKENS")
	}
	if l.uses(Anthropic) && (effort || l.Thinking == "on") {
		l.validateAnthropicThinking(errs, effort)
	}
}

// validateAnthropicThinking checks the settings that models of Anthropic reject while they think.
func (l *LLM) validateAnthropicThinking(errs *Errors, effort bool) {
	cause := "LLM_THINKING"
	if effort {
		cause = "LLM_REASONING_EFFORT"
	}
	if l.Temperature != nil {
		errs.add("LLM_TEMPERATURE", "excludes thinking with anthropic, which "+cause+" turns on", "none, or no "+cause)
	}
	if l.MaxOutputTokens != 0 && l.MaxOutputTokens < minThinkingOutput {
		errs.add("LLM_MAX_OUTPUT_TOKENS", "is too small for thinking with anthropic, which "+cause+" turns on",
			"at least 2048, or no "+cause)
	}
}

// uses reports whether p is the provider or its fallback.
func (l *LLM) uses(p Provider) bool {
	fallback, _ := l.fallback()
	return l.Provider == p || fallback == p
}
