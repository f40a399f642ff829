package llm

// Values of [Generation].Thinking besides "", which is the provider's default.
const (
	ThinkingOn  = "on"
	ThinkingOff = "off"
)

// EffortNone is the reasoning effort that means the same as [ThinkingOff].
const EffortNone = "none"

// Generation holds the settings of how a model generates its responses. The zero value leaves all of them to the
// provider: requests have no member for them.
type Generation struct {
	// Effort is the reasoning effort: none, minimal, low, medium or high; "" means the provider's default.
	Effort string
	// Thinking is [ThinkingOn], [ThinkingOff] or "".
	Thinking string
	// Temperature is the sampling temperature, 0 to 2; nil means the provider's default.
	Temperature *float64
	// MaxOutputTokens is the maximum number of generated tokens, thinking included; 0 means the provider's default.
	MaxOutputTokens int
}

// DisablesThinking reports whether the model must not think.
func (g Generation) DisablesThinking() bool {
	return g.Thinking == ThinkingOff || g.Effort == EffortNone
}

// EnablesThinking reports whether the model is to think, in contrast to the provider's default.
func (g Generation) EnablesThinking() bool {
	return !g.DisablesThinking() && (g.Thinking == ThinkingOn || g.Effort != "")
}

// ReasoningEffort returns the effort for APIs in which it also turns thinking on and off; "" means the provider's
// default.
func (g Generation) ReasoningEffort() string {
	switch {
	case g.DisablesThinking():
		return EffortNone
	case g.Effort == "" && g.EnablesThinking():
		return "medium" // the default of some models is none
	default:
		return g.Effort
	}
}
