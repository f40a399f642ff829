import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Starts a TCP proxy to the server's current address, which a test can cut off. */
export async function startProxy(server) {
  const sockets = new Set();
  let open = true;
  const listener = createServer((near) => {
    if (!open) return near.destroy();
    const { port, hostname } = new URL(server.url);
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [[near, far], [far, near]]) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    url: `http://127.0.0.1:${listener.address().port}/graphql`,
    /** Drops all connections and refuses new ones. */
    cut() {
      open = false;
      sockets.forEach((socket) => socket.resetAndDestroy());
    },
    mend() {
      open = true;
    },
    /** Drops all connections; new ones are accepted. */
    drop() {
      sockets.forEach((socket) => socket.resetAndDestroy());
    },
    close() {
      listener.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
}
