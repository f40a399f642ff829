package llm

// Keys of [llms.ContentChoice].GenerationInfo.
const (
	// InfoInputTokens counts all tokens of the prompt, cached ones included (int).
	InfoInputTokens = "InputTokens"
	// InfoOutputTokens counts all generated tokens, thinking included (int).
	InfoOutputTokens = "OutputTokens"
	// InfoCachedTokens counts the prompt tokens read from the provider's cache (int).
	InfoCachedTokens = "CachedTokens"
	// InfoProvider and InfoModel name who answered (string).
	InfoProvider = "Provider"
	InfoModel    = "Model"
	// InfoParts holds the [ProviderParts] of the step, when there are any.
	InfoParts = "ProviderParts"
)

// Usage counts the tokens of one call, in the meaning of the Info keys. It is
// zero where a server reports none.
type Usage struct{ Input, Output, Cached int }
