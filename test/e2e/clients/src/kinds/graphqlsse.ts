import { createClient } from "graphql-sse";
import type { ClientKind } from "../client.js";
import { over } from "./graphqlws.js";

/** graphql-sse by itself, a connection for each operation. */
export const graphqlSSE: ClientKind = {
  name: "graphql-sse",
  connect: (url, token) =>
    over(createClient({ url: `${url}/graphql`, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 })),
};
