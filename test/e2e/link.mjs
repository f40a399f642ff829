// A connection between a client and the server that can be cut, so that the client is away for as long as a test needs.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Forwards the connections to a free port to the address that the server has at that time. */
export async function startLink(server) {
  const sockets = new Set();
  let isOpen = true;
  const listener = createServer((near) => {
    if (!isOpen) return void near.destroy();
    link.connections++;
    const { port, hostname } = new URL(server.url);
    const far = connect(Number(port), hostname);
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => (sockets.delete(from), to.destroy()));
      from.pipe(to);
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  const link = {
    port,
    url: `http://127.0.0.1:${port}`,
    connections: 0,
    async drop() {
      for (const socket of sockets) socket.resetAndDestroy();
      // Clients pool connections; this lets them notice that idle ones are closed, too.
      await new Promise(setImmediate);
    },
    cut() {
      isOpen = false;
      return link.drop();
    },
    refuse() {
      isOpen = false;
    },
    mend() {
      isOpen = true;
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return link;
}
