import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, parse } from "graphql";
import type { Client } from "graphql-ws";
import { base } from "./base";
import type { Session } from "./session";

/** Observes results on their way to GraphiQL. */
export interface Observer {
  /** One payload of a subscription that the user runs. */
  onEvent(payload: unknown): void;
  /** The result of a query or mutation. */
  onAnswer(payload: unknown): void;
}

/** GraphiQL's fetcher: HTTP and WebSocket as the session's user. Every result is passed to the observer. */
export function createFetcher(session: Session, socket: Client, observer: Observer): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: new URL("graphql", base).href,
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
 * The operation to run, parsed from the document: for a moment after a change of tabs, GraphiQL
 * still passes the operation name of the previous tab. Empty if the document does not parse; the
 * server then returns the syntax error.
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

/** fetch with the session's token; retried once with a new token after a 401. */
function authorizedFetch(session: Session): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    // A header that the user has entered takes precedence.
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
 * Calls see with every value. Not an async generator, because its return() waits for the
 * pending value, so that "stop" would not stop an idle subscription.
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
