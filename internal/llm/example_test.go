package llm_test

import (
	"errors"
	"fmt"
	"time"

	"errand/internal/apperr"
	"errand/internal/llm"
)

// Errors of providers are classified, and their public form does not quote the provider.
func ExampleError() {
	err := fmt.Errorf("step 2: %w", &llm.Error{
		Kind:       llm.KindRateLimit,
		Provider:   "openai",
		Status:     429,
		RetryAfter: 20 * time.Second,
	})
	var modelErr *llm.Error
	fmt.Println(errors.As(err, &modelErr), modelErr.Kind, llm.Transient(err))
	public := apperr.From(err)
	fmt.Println(public.Code, public.RetryAfter)
	// Output:
	// true rate_limit true
	// RATE_LIMITED 20s
}

func ExampleConfig_WithDefaults() {
	c, err := llm.Config{Model: "small", BaseURL: "http://127.0.0.1:11434/v1/"}.WithDefaults("ollama", "")
	fmt.Println(c.Provider, c.BaseURL, err)
	_, err = llm.Config{BaseURL: "ftp://host"}.WithDefaults("openai", "")
	fmt.Println(err)
	// Output:
	// ollama http://127.0.0.1:11434/v1 <nil>
	// openai: the base URL must start with http:// or https://
}
