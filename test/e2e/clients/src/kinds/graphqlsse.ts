import { createClient } from "graphql-sse";
import type { ClientKind } from "../client.js";
import { over } from "./graphqlws.js";

/** graphql-sse without another library, with one connection per operation. */
export const graphqlSSE: ClientKind = {
  name: "graphql-sse",
  connect: (url, token) =>
    over(createClient({ url: `${url}/graphql`, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 })),
};
