import { print } from "graphql";
import { SubscriptionClient } from "subscriptions-transport-ws";
import { WebSocket } from "ws";
import { requestOverSubscribe, toSink, socketURL, type Client, type ClientKind } from "../client.js";

/**
 * The client of the legacy graphql-ws subprotocol, which Apollo's first WebSocket link uses too. It does not report a
 * closed socket or a rejected token to its observers, so callers must do so in onDisconnect.
 */
export function legacyClient(url: string, token: string, onDisconnect: (reason: unknown) => void) {
  let first: unknown;
  // A rejected token is followed by a close; only the first reason is reported.
  const disconnected = (reason: unknown) => onDisconnect((first ??= reason));
  const connectionParams = { authorization: `Bearer ${token}` };
  const connectionCallback = (refusal: unknown) => void (refusal && disconnected(refusal));
  const client = new SubscriptionClient(socketURL(url), { connectionParams, reconnect: false, connectionCallback }, WebSocket);
  client.onDisconnected(() => disconnected(new Error("disconnected")));
  return client;
}

/** Wraps subscribe so that open subscriptions fail when disconnected is called. */
export function failOnDisconnect(subscribe: Client["subscribe"]) {
  const open = new Set<(reason: unknown) => void>();
  return {
    disconnected: (reason: unknown) => open.forEach((fail) => fail(reason)),
    subscribe: ((document, variables, sink) => {
      open.add(sink.fail);
      const stop = subscribe(document, variables, sink);
      return () => {
        open.delete(sink.fail);
        stop();
      };
    }) satisfies Client["subscribe"],
  };
}

/** subscriptions-transport-ws without another library. */
export const legacy: ClientKind = {
  name: "subscriptions-transport-ws",
  connect(url, token) {
    const client = legacyClient(url, token, (reason) => disconnected(reason));
    const { disconnected, subscribe } = failOnDisconnect((document, variables, sink) =>
      client.request({ query: print(document), variables }).subscribe(toSink(sink)).unsubscribe);
    return { subscribe, request: requestOverSubscribe(subscribe), close: () => client.close(true) };
  },
};
