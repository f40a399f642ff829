import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy between client and server whose connections a test can cut. */
export interface Wire {
  url: string;
  /** How many connections were made over it. */
  connections: number;
  /** Closes every open connection; new connections are accepted. */
  cut(): Promise<void>;
  close(): void;
}

/** Lays a wire to the server, wherever it answers at the time of each connection. */
export async function layWire(to: { readonly url: string }): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    wire.connections++;
    const { port, hostname } = new URL(to.url);
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const wire: Wire = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    async cut() {
      sockets.forEach((socket) => socket.resetAndDestroy());
      // Clients pool connections: let them see that the idle ones are gone too.
      await new Promise(setImmediate);
    },
    close() {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
  return wire;
}
