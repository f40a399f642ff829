// Package llm is the client of the model providers: conversation history, call options, the HTTP exchange with its
// timeouts and retries, the event stream, the response, and the classification of errors. The packages openai, gemini
// and anthropic add only the wire format of their API (an [API]).
//
// A [Client] implements langchaingo's [llms.Model] directly over net/http. Langchaingo's own network providers are not
// used because they lose tool calls and report a broken stream as success. The vendors' SDKs are not used because they
// also accept a stream that ends early, and because of their size: the official OpenAI client alone adds 20 MB to the
// binary and takes 2.4 GB of memory to compile; this package and all providers add 0.2 MB to a binary of 44 MB.
//
// Every provider has these properties:
//
//   - A response without its terminal event is an error, never a short success.
//   - A cancelled context is an error, even if the whole text has arrived.
//   - Only text for the user reaches the streaming function: no thinking, no tool calls.
//   - A request is never retried after the first byte of its response.
//   - Errors and logs contain no provider text, key or request body.
package llm
