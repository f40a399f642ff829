// A model provider with the protocol of OpenAI, whose replies go on only when the test says so.
import { once } from "node:events";
import { createServer } from "node:http";

/** Starts the provider: {url, reply, close}. */
export async function startModel() {
  const replies = [];
  let wake = () => {};
  const server = createServer(async (request, response) => {
    if (request.method !== "POST") return response.writeHead(404).end(); // about its context window
    let body = "";
    for await (const text of request.setEncoding("utf8")) body += text;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const send = (delta, finish_reason = null) =>
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    const end = () => {
      send({}, "stop");
      response.end("data: [DONE]\n\n");
    };
    // Titles are written without tools.
    if (!JSON.parse(body).tools) {
      send({ content: "A title" });
      return end();
    }
    replies.push({ write: (content) => send({ content }), end });
    wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    /** Waits for the next call: write(text) adds to its reply, and end() completes it. */
    async reply() {
      while (replies.length === 0) await new Promise((resolve) => (wake = resolve));
      return replies.shift();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
