// Adds a bearer token to every request: the conformance suite cannot sign in. Host,
// Origin and all other headers pass as they are.
import { createServer, request } from "node:http";
import { once } from "node:events";

/** Forwards to target ("http://127.0.0.1:PORT") with the token; gives its own URL and a way to stop. */
export async function startProxy(target, token) {
  const server = createServer((incoming, outgoing) => {
    const onward = request(new URL(incoming.url, target), {
      method: incoming.method,
      headers: { ...incoming.headers, authorization: `Bearer ${token}` },
    });
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
