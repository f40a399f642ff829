import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect } from "node:net";

/** Starts a proxy that serves a server below a path prefix, as in `/errand`. */
export async function startPrefixProxy(target, prefix) {
  const { hostname: host, port } = new URL(target);
  const below = (url) => (url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : null);
  const proxy = createServer((incoming, outgoing) => {
    const path = below(incoming.url);
    if (path === null) return void outgoing.writeHead(404).end();
    const { method, headers } = incoming;
    const onward = request({ host, port, path, method, headers }, (response) => {
      outgoing.writeHead(response.statusCode, response.headers);
      response.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  proxy.on("upgrade", (incoming, socket, head) => {
    const path = below(incoming.url);
    if (path === null) return void socket.destroy();
    const onward = connect(port, host, () => {
      const lines = incoming.rawHeaders.flatMap((name, i, all) => (i % 2 ? [] : [`${name}: ${all[i + 1]}`]));
      onward.write([`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [[socket, onward], [onward, socket]]) one.on("error", () => {}).on("close", () => other.destroy());
  });
  const sockets = new Set();
  proxy.on("connection", (socket) => sockets.add(socket.on("close", () => sockets.delete(socket))));
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    url: `http://127.0.0.1:${proxy.address().port}${prefix}`,
    stop() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
