import type { Client as SSEClient } from "graphql-sse";
import { createClient, type Client as WSClient, type ClientOptions } from "graphql-ws";
import { print } from "graphql";
import { WebSocket } from "ws";
import { requestOverSubscribe, toSink, socketURL, type Client, type ClientKind } from "../client.js";

/** The options of every graphql-ws client here. */
export function socketOptions(url: string, token: string): ClientOptions {
  return {
    url: socketURL(url),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  };
}

/** graphql-ws without another library. Queries and mutations use the socket too. */
export const graphqlWS: ClientKind = {
  name: "graphql-ws",
  connect: (url, token) => over(createClient(socketOptions(url, token))),
};

/** A graphql-ws or graphql-sse client. */
export function over(client: Pick<WSClient, "subscribe" | "dispose"> | SSEClient): Client {
  const subscribe: Client["subscribe"] = (document, variables, sink) =>
    client.subscribe({ query: print(document), variables }, toSink(sink));
  return { subscribe, request: requestOverSubscribe(subscribe), close: () => client.dispose() };
}
