// A connection between the page and the server that can be cut, so that the page is away for as long as a test needs.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Forwards connections on a free port to the port that target returns at that time. */
export async function makeLink(target) {
  const sockets = new Set();
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) return void near.destroy();
    const far = connect(target(), "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => (sockets.delete(from), to.destroy()));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    /** Ends all connections and refuses new ones. */
    cut() {
      isOpen = false;
      for (const socket of sockets) socket.destroy();
    },
    /** Refuses new connections; those in place end with the server's own close frames. */
    refuse() {
      isOpen = false;
    },
    mend() {
      isOpen = true;
    },
    async close() {
      this.cut();
      server.close();
      await once(server, "close");
    },
  };
}
