package config_test

import (
	"errors"
	"fmt"

	"errand/internal/config"
)

func ExampleLoad() {
	cfg, err := config.Load(map[string]string{"ADDR": "127.0.0.1:9000"}, "")
	fmt.Println(cfg.Server.Addr, cfg.LLM.Provider, err)
	// Output: 127.0.0.1:9000 rules <nil>
}

// All errors are reported together, without the values.
func ExampleLoad_errors() {
	_, err := config.Load(map[string]string{
		"ADDR":             "localhost",
		"LLM_PROVIDER":     "gpt",
		"RUN_MAX_ATTEMPTS": "50",
		"OPENAI_API_KEY":   "sk-1\nsk-2",
	}, "")
	fmt.Println(err)

	var errs config.Errors
	if errors.As(err, &errs) {
		fmt.Println("first:", errs[0].Variable)
	}
	// Output:
	// 4 settings are invalid:
	//   ADDR is not a host and port (allowed: host:port, such as 127.0.0.1:8080, or :8080 for all interfaces)
	//   LLM_PROVIDER is not one of the allowed values (allowed: rules, openai, gemini, anthropic, ollama)
	//   OPENAI_API_KEY contains spaces, line breaks or characters outside ASCII (allowed: the key alone)
	//   RUN_MAX_ATTEMPTS is too large (allowed: 1 to 20)
	// first: ADDR
}
