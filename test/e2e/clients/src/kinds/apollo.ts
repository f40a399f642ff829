import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { Defer20220824Handler } from "@apollo/client/incremental";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { WebSocketLink } from "@apollo/client/link/ws";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { isOperation, type Client, type ClientKind } from "../client.js";
import { socketOptions } from "./graphqlws.js";
import { failOnDisconnect, legacyClient } from "./legacy.js";

// Apollo's WebSocket link uses the global WebSocket, which browsers and Node 22 have.
globalThis.WebSocket ??= WebSocket as never;

/** Apollo's HTTP link: queries, mutations, @defer, and subscriptions as multipart. */
export const httpLink = (url: string, token: string, fetcher: typeof fetch = fetch) =>
  new HttpLink({ uri: `${url}/graphql`, headers: { authorization: `Bearer ${token}` }, fetch: fetcher });

/** An Apollo Client over a link, with an in-memory cache. */
export const apolloClient = (link: ApolloLink, cache = new InMemoryCache()) =>
  new ApolloClient({ link, cache, incrementalHandler: new Defer20220824Handler() });

/** Subscriptions over one link, the rest over another. */
const split = (subscriptions: ApolloLink, rest: ApolloLink) =>
  ApolloLink.split(({ operationType }) => operationType === "subscription", subscriptions, rest);

/** Apollo Client with its WebSocket link for subscriptions. */
export const apolloWebSocket: ClientKind = {
  name: "Apollo Client, WebSocket link",
  connect(url, token) {
    const socket = createClient(socketOptions(url, token));
    const link = split(new GraphQLWsLink(socket), httpLink(url, token));
    return { ...over(apolloClient(link)), close: () => socket.dispose() };
  },
};

/** Apollo Client with HTTP only. */
export const apolloMultipart: ClientKind = {
  name: "Apollo Client, HTTP multipart",
  connect: (url, token) => over(apolloClient(httpLink(url, token))),
};

/** Apollo Client with the link of the legacy subprotocol. */
export const apolloLegacy: ClientKind = {
  name: "Apollo Client, legacy WebSocket link",
  connect(url, token) {
    const socket = legacyClient(url, token, (reason) => disconnected(reason));
    const client = over(apolloClient(split(new WebSocketLink(socket), httpLink(url, token))));
    const { disconnected, subscribe } = failOnDisconnect(client.subscribe);
    return { ...client, subscribe, close: () => socket.close(true) };
  },
};

function over(client: ApolloClient): Client {
  return {
    async request(document, variables) {
      const { data } = isOperation("mutation", document)
        ? await client.mutate({ mutation: document, variables })
        : await client.query({ query: document, variables, fetchPolicy: "network-only" });
      return data as never;
    },
    subscribe(document, variables, sink) {
      const subscription = client.subscribe({ query: document, variables }).subscribe({
        next: ({ data, error }) => (error ? sink.fail(error) : sink.next(data as never)),
        error: (error) => sink.fail(error),
        complete: () => sink.end(),
      });
      return () => subscription.unsubscribe();
    },
    close: () => client.stop(),
  };
}
