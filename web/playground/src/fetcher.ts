import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, parse } from "graphql";
import type { Client } from "graphql-ws";
import type { Session } from "./session";

/** What the page wants to know about answers on their way to GraphiQL. */
export interface Observer {
  /** One payload of a subscription that a person runs. */
  onEvent(payload: unknown): void;
  /** The answer to a query or mutation. */
  onAnswer(payload: unknown): void;
}

/** GraphiQL's fetcher: HTTP and WebSocket as the session's person, with every answer shown to the observer. */
export function createFetcher(session: Session, socket: Client, observer: Observer): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: "/graphql",
    wsClient: socket,
    fetch: authorizedFetch(session),
  });
  return async (params, options) => {
    if (params.operationName === "IntrospectionQuery") return fetcher(params, options);
    const { document, operation } = chosenOperation(params);
    const result = await fetcher(
      { ...params, operationName: operation?.name?.value },
      { ...options, documentAST: document },
    );
    return observed(result, operation?.operation === "subscription" ? observer.onEvent : observer.onAnswer);
  };
}

/**
 * The operation to run, read from the text itself: for a moment after a change of tab GraphiQL
 * still names the operation of the tab before. Empty for text that does not parse; the server
 * then says what is wrong with it.
 */
function chosenOperation({ query, operationName }: FetcherParams) {
  try {
    const document = parse(query);
    const operation = getOperationAST(document, operationName) ?? getOperationAST(document);
    return { document, operation: operation ?? undefined };
  } catch {
    return {};
  }
}

/** fetch with the session's token, and once more with a fresh one when the first is refused. */
function authorizedFetch(session: Session): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    // Whoever writes the header by hand means it.
    if (headers.has("authorization")) return fetch(input, init);
    const token = await session.token();
    const response = await send(token);
    if (response.status !== 401 || !session.refuse(token)) return response;
    return send(await session.token());

    function send(bearer: string | null) {
      if (bearer) headers.set("authorization", `Bearer ${bearer}`);
      return fetch(input, { ...init, headers });
    }
  };
}

/**
 * Shows see every value as it passes. An async generator would not do: its
 * return() waits for the pending value, so "stop" would not stop an idle subscription.
 */
function observed(result: unknown, see: (payload: unknown) => void): any {
  if (!isAsyncIterable(result)) {
    see(result);
    return result;
  }
  const inner = result[Symbol.asyncIterator]();
  return {
    async next() {
      const step = await inner.next();
      if (!step.done) see(step.value);
      return step;
    },
    return: () => inner.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
