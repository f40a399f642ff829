import { print } from "graphql";
import { SubscriptionClient } from "subscriptions-transport-ws";
import { WebSocket } from "ws";
import { askBy, responsesInto, socketURL, type Client, type ClientKind } from "../client.js";

/**
 * The client of the graphql-ws subprotocol, which Apollo's first WebSocket link uses, too. It does not
 * tell its observers of a lost socket or a refused token: whoever uses it must, here by onLost.
 */
export function legacyClient(url: string, token: string, onLost: (reason: unknown) => void) {
  let why: unknown;
  // The close that follows a refusal is no news.
  const lost = (reason: unknown) => onLost((why ??= reason));
  const connectionParams = { authorization: `Bearer ${token}` };
  const connectionCallback = (refusal: unknown) => void (refusal && lost(refusal));
  const client = new SubscriptionClient(socketURL(url), { connectionParams, reconnect: false, connectionCallback }, WebSocket);
  client.onDisconnected(() => lost(new Error("disconnected")));
  return client;
}

/** Adds to a way of subscribing that open subscriptions fail when the connection is lost. */
export function failing(subscribe: Client["subscribe"]) {
  const open = new Set<(reason: unknown) => void>();
  return {
    lost: (reason: unknown) => open.forEach((fail) => fail(reason)),
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

/** subscriptions-transport-ws by itself. */
export const legacy: ClientKind = {
  name: "subscriptions-transport-ws",
  connect(url, token) {
    const client = legacyClient(url, token, (reason) => lost(reason));
    const { lost, subscribe } = failing((document, variables, sink) =>
      client.request({ query: print(document), variables }).subscribe(responsesInto(sink)).unsubscribe);
    return { subscribe, ask: askBy(subscribe), close: () => client.close(true) };
  },
};
