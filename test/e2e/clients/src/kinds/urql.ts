import { cacheExchange, Client, fetchExchange, subscriptionExchange, type ClientOptions } from "@urql/core";
import { createClient } from "graphql-ws";
import { onEnd, pipe, subscribe } from "wonka";
import { isOperation, type Client as Connected, type ClientKind } from "../client.js";
import { socketOptions } from "./graphqlws.js";

/** urql with subscriptions over graphql-ws, as its documentation sets it up. */
export const urqlWebSocket: ClientKind = {
  name: "urql, graphql-ws",
  connect(url, token) {
    const socket = createClient(socketOptions(url, token));
    const subscriptions = subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query!, variables: variables as {} }, sink as never) }),
      }),
    });
    const client = urqlClient(url, token, { exchanges: [cacheExchange, fetchExchange, subscriptions] });
    return { ...over(client), close: () => socket.dispose() };
  },
};

/** urql with subscriptions as server-sent events through fetch. */
export const urqlSSE: ClientKind = {
  name: "urql, server-sent events",
  connect: (url, token) => over(urqlClient(url, token, { fetchSubscriptions: true })),
};

/** A urql client. */
export const urqlClient = (url: string, token: string, options: Partial<ClientOptions> = {}) =>
  new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [cacheExchange, fetchExchange],
    ...options,
  });

function over(client: Client): Connected {
  return {
    async request(document, variables) {
      const { data, error } = isOperation("mutation", document)
        ? await client.mutation(document, variables)
        : await client.query(document, variables, { requestPolicy: "network-only" });
      if (error) throw error;
      return data as never;
    },
    subscribe: (document, variables, sink) =>
      pipe(
        client.subscription(document, variables),
        onEnd(() => sink.end()),
        subscribe(({ data, error }) => (error ? sink.fail(error) : sink.next(data as never))),
      ).unsubscribe,
    close: () => {},
  };
}
