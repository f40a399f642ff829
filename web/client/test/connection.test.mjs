import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import WebSocket, { WebSocketServer } from "ws";
import { createErrand } from "../dist/index.js";

/** Waits until the connection has a state. */
const until = (errand, state) =>
  new Promise((resolve) => {
    const look = () => {
      if (errand.connection.get() !== state) return;
      stop();
      resolve();
    };
    const stop = errand.connection.subscribe(look);
    look();
  });

test("connection: idle, connected, lost while it is made again, and idle without subscriptions", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "graphql-transport-ws" });
  await once(server, "listening");
  const { port } = server.address();
  const sockets = [];
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("message", (text) => {
      const { type } = JSON.parse(text);
      if (type === "connection_init") socket.send(JSON.stringify({ type: "connection_ack" }));
      if (type === "ping") socket.send(JSON.stringify({ type: "pong" }));
    });
  });
  const errand = createErrand({ url: `http://127.0.0.1:${port}/graphql`, token: () => "token", webSocketImpl: WebSocket });
  const states = [];
  errand.connection.subscribe(() => states.push(errand.connection.get()));
  assert.equal(errand.connection.get(), "idle");
  const unsubscribe = errand.subscribe("subscription ($after: Cursor) { taskStream(after: $after) { cursor } }", { after: "c" }, { next() {} });
  await until(errand, "connected");
  sockets[0].terminate();
  await until(errand, "lost");
  await until(errand, "connected");
  unsubscribe();
  await until(errand, "idle");
  assert.deepEqual(states, ["connecting", "connected", "lost", "connected", "idle"]);
  errand.dispose();
  server.close();
});

test("dispose: a connection that is being made, and then fails, is no unhandled rejection", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "graphql-transport-ws" });
  await once(server, "listening");
  const { port } = server.address();
  const errand = createErrand({ url: `http://127.0.0.1:${port}/graphql`, token: () => "token", webSocketImpl: WebSocket });
  server.on("connection", (socket) =>
    socket.on("message", () => {
      errand.dispose();
      socket.close(4401, "Sign in again.");
    }),
  );
  errand.subscribe("subscription ($after: Cursor) { taskStream(after: $after) { cursor } }", { after: "c" }, { next() {} });
  const rejections = [];
  const note = (reason) => rejections.push(reason);
  process.on("unhandledRejection", note);
  await until(errand, "connecting");
  await until(errand, "idle");
  // Node reports unhandled rejections after the microtasks of this turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  server.close();
  assert.deepEqual(rejections, []);
});
