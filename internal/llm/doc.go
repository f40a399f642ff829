// Package llm holds what every model provider shares: the error vocabulary, the
// HTTP exchange with its timeouts and retries, the event-stream reader, the
// neutral reading of a conversation and the assembly of an answer.
//
// The providers (openai, gemini, anthropic) are langchaingo [llms.Model]s
// written directly over net/http. Neither langchaingo's own network providers
// nor the vendors' SDKs are used: the former lose tool calls and report broken
// streams as success, the latter also accept a stream that ends early and cost
// tens of megabytes of binary: the official client for OpenAI alone 20 MB and 2.4 GB
// of memory to compile, all of this package and its providers 0.2 MB of the binary's
// 44. What must hold for each of them:
//
//   - An answer without its terminal event is an error, never a short success.
//   - A cancelled context is an error, even when all text had arrived.
//   - Only text meant for the person reaches the streaming function.
//   - Nothing is repeated once a byte of an answer has arrived.
//   - No provider text, key or request body appears in an error or a log line.
package llm
