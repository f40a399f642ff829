// Tests the model providers against an independent implementation: aimock emulates
// OpenAI, Ollama, Gemini and Anthropic on one port, and ./peer sends requests through the
// real providers. Run with `npm ci && npm test`; needs Node 20 and Go.
import { spawn } from "node:child_process";
import { LLMock } from "@copilotkit/aimock";

const providers = ["openai", "ollama", "gemini", "anthropic"];
const usage = {
  prompt_tokens: 21, completion_tokens: 9,
  input_tokens: 21, output_tokens: 9,
  promptTokenCount: 21, candidatesTokenCount: 9,
};

const mock = new LLMock({ port: 0, host: "127.0.0.1", chunkSize: 5, logLevel: "silent" });

mock.on({ userMessage: "hello" }, { content: "Good morning to you.", usage });

// A tool loop: two calls in one response, then text after their results.
mock.on({ userMessage: "groceries", hasToolResult: false }, {
  content: "I will add them.",
  reasoning: "Two things to add.",
  reasoningSignature: "aimock-signature",
  toolCalls: [
    { name: "add_task", arguments: { title: "Milk ümläut 🥛" } },
    { name: "add_task", arguments: { title: "Bread" } },
  ],
});
mock.on({ userMessage: "groceries", hasToolResult: true }, { content: "Both are on the list." });
mock.on({ userMessage: "list everything", hasToolResult: false }, { toolCalls: [{ name: "list_tasks", arguments: {} }] });
mock.on({ userMessage: "and then" }, { content: "All providers have replied." });

for (const p of providers) {
  mock.on({ userMessage: `busy ${p}`, sequenceIndex: 0 },
    { error: { message: "slow down, key sk-planted", type: "rate_limit_error" }, status: 429, retryAfter: 1 });
  mock.on({ userMessage: `busy ${p}`, sequenceIndex: 1 }, { content: "Now I have time." });
}
mock.on({ userMessage: "broken server" }, { error: { message: "sk-planted", type: "server_error" }, status: 500 });
mock.on({ userMessage: "wrong key" }, { error: { message: "sk-planted", type: "authentication_error" }, status: 401 });
mock.on({ userMessage: "cut text" }, { content: "This answer is cut before it ends." }, { truncateAfterChunks: 3, latency: 20 });
mock.on({ userMessage: "cut call" },
  { toolCalls: [{ name: "add_task", arguments: { title: "a title that takes several chunks to send" } }] }, { truncateAfterChunks: 4, latency: 20 });
mock.on({ userMessage: "drop me" }, { content: "Never delivered." }, { chaos: { disconnectRate: 1 } });
mock.on({ userMessage: "garble me" }, { content: "Never delivered." }, { chaos: { malformedRate: 1 } });

const url = await mock.start();
const peer = spawn("go", ["run", "./peer"], {
  cwd: import.meta.dirname, stdio: "inherit", env: { ...process.env, AIMOCK_URL: url },
});
const code = await new Promise((resolve, reject) => {
  peer.on("error", reject);
  peer.on("exit", (c) => resolve(c ?? 1));
});

// Every API must have been requested.
const paths = mock.getRequests().map((r) => r.path);
const missing = ["/v1/chat/completions", ":streamGenerateContent", "/v1/messages"].filter((p) => !paths.some((q) => q.includes(p)));
await mock.stop();
if (missing.length > 0) console.error(`not requested: ${missing.join(", ")}`);
process.exit(code !== 0 || missing.length > 0 ? 1 : 0);
