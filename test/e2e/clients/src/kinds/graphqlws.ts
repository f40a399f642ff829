import type { Client as SSEClient } from "graphql-sse";
import { createClient, type Client as WSClient, type ClientOptions } from "graphql-ws";
import { print } from "graphql";
import { WebSocket } from "ws";
import { askBy, responsesInto, socketURL, type Client, type ClientKind } from "../client.js";

/** The options with which every graphql-ws client here connects. */
export function socketOptions(url: string, token: string): ClientOptions {
  return {
    url: socketURL(url),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  };
}

/** graphql-ws by itself: queries and mutations go over the socket, too. */
export const graphqlWS: ClientKind = {
  name: "graphql-ws",
  connect: (url, token) => over(createClient(socketOptions(url, token))),
};

/** A graphql-ws or graphql-sse client. */
export function over(client: Pick<WSClient, "subscribe" | "dispose"> | SSEClient): Client {
  const subscribe: Client["subscribe"] = (document, variables, sink) =>
    client.subscribe({ query: print(document), variables }, responsesInto(sink));
  return { subscribe, ask: askBy(subscribe), close: () => client.dispose() };
}
