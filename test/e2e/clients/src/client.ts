import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type { DocumentNode } from "graphql";

/** A client library, configured as front ends configure it. */
export interface ClientKind {
  name: string;
  /** Connects to the server at url (http://…) as the token's user, without the library's own retries. */
  connect(url: string, token: string): Client;
}

/** A connected client. */
export interface Client {
  /** Runs a query or mutation; rejects with the library's own error. */
  request<D, V extends Record<string, unknown>>(document: TypedDocumentNode<D, V>, variables: V): Promise<D>;
  /** Subscribes and passes each payload to the sink. Returns a function that unsubscribes. */
  subscribe<D, V extends Record<string, unknown>>(document: TypedDocumentNode<D, V>, variables: V, sink: Sink<D>): () => void;
  /** Closes all connections. */
  close(): void | Promise<unknown>;
}

/** Receives a subscription's payloads. No call follows fail or end. */
export interface Sink<D> {
  next(data: D): void;
  fail(error: unknown): void;
  end(): void;
}

/** The WebSocket address of a server. */
export const socketURL = (url: string) => `${url.replace("http", "ws")}/graphql`;

/** Requests for clients that treat queries and mutations as subscriptions with one payload. */
export const requestOverSubscribe = (subscribe: Client["subscribe"]): Client["request"] => (document, variables) =>
  new Promise((resolve, reject) => {
    subscribe(document, variables, { next: resolve, fail: reject, end: () => reject(new Error("no response")) });
  });

/** Adapts a sink to the observer of GraphQL responses that most clients take. */
export function toSink<D>(sink: Sink<D>) {
  return {
    next(response: { data?: unknown; errors?: readonly unknown[] | undefined }) {
      if (response.errors) sink.fail(response.errors);
      else sink.next(response.data as D);
    },
    error: (error: unknown) => sink.fail(error),
    complete: () => sink.end(),
  };
}

/**
 * The error codes of an error thrown by a client. Clients wrap GraphQL errors differently: one error, a bare
 * list, Apollo's `errors` or `cause`, urql's `graphQLErrors`. Errors of the transport have no code.
 */
export function codesOf(thrown: any): unknown[] {
  const list = Array.isArray(thrown) ? thrown : (thrown.errors ?? thrown.graphQLErrors ?? [thrown.cause ?? thrown]);
  return list.map((error: { extensions?: { code?: unknown } }) => error.extensions?.code);
}

/** Whether a document is a query, a mutation or a subscription. */
export const isOperation = (type: "query" | "mutation" | "subscription", document: DocumentNode) =>
  document.definitions.some((part) => part.kind === "OperationDefinition" && part.operation === type);
