import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy between client and server whose connections a test can drop. */
export interface ConnectionProxy {
  url: string;
  /** The number of connections accepted so far. */
  connections: number;
  /** Resets every open connection. New connections are accepted. */
  cut(): Promise<void>;
  close(): void;
}

/** Starts a proxy that resolves the server's current address for each connection. */
export async function startProxy(server: { readonly url: string }): Promise<ConnectionProxy> {
  const sockets = new Set<Socket>();
  const listener = createServer((near) => {
    proxy.connections++;
    const { port, hostname } = new URL(server.url);
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
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const proxy: ConnectionProxy = {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    connections: 0,
    async cut() {
      sockets.forEach((socket) => socket.resetAndDestroy());
      // Clients pool connections; this lets them notice that idle ones are closed too.
      await new Promise(setImmediate);
    },
    close() {
      listener.close();
      sockets.forEach((socket) => socket.destroy());
    },
  };
  return proxy;
}
