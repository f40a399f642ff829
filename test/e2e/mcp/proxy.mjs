// An HTTP proxy that adds a bearer token to every request, because the conformance suite cannot sign in. All other
// headers, Host and Origin among them, are forwarded unchanged.
import { createServer, request } from "node:http";
import { once } from "node:events";

/** Starts a proxy to target ("http://127.0.0.1:PORT") that adds the token. */
export async function startProxy(target, token) {
  const server = createServer((incoming, outgoing) => {
    const forwarded = request(new URL(incoming.url, target), {
      method: incoming.method,
      headers: { ...incoming.headers, authorization: `Bearer ${token}` },
    });
    forwarded.on("response", (response) => {
      outgoing.writeHead(response.statusCode, response.headers);
      outgoing.flushHeaders();
      response.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
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
