import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type { DocumentNode } from "graphql";

/** One kind of client, as a front end sets it up. */
export interface ClientKind {
  name: string;
  /** Connects to the server at url (http://…) as the token's person, without the client's own retries. */
  connect(url: string, token: string): Client;
}

/** A connected client. */
export interface Client {
  /** Runs a query or mutation; rejects with what the client itself gives for an error. */
  ask<D, V extends Record<string, unknown>>(document: TypedDocumentNode<D, V>, variables: V): Promise<D>;
  /** Subscribes: each payload goes to the sink. Returns the way to unsubscribe. */
  subscribe<D, V extends Record<string, unknown>>(document: TypedDocumentNode<D, V>, variables: V, sink: Sink<D>): () => void;
  /** Lets go of everything. */
  close(): void | Promise<unknown>;
}

/** Where a subscription's payloads go. After fail or end nothing follows. */
export interface Sink<D> {
  next(data: D): void;
  fail(error: unknown): void;
  end(): void;
}

/** The WebSocket address of a server. */
export const socketURL = (url: string) => `${url.replace("http", "ws")}/graphql`;

/** Asking, for clients that treat queries and mutations as subscriptions of one payload. */
export const askBy = (subscribe: Client["subscribe"]): Client["ask"] => (document, variables) =>
  new Promise((resolve, reject) => {
    subscribe(document, variables, { next: resolve, fail: reject, end: () => reject(new Error("no answer")) });
  });

/** Takes GraphQL responses, as most clients tell them, into a sink of data. */
export function responsesInto<D>(sink: Sink<D>) {
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
 * The error codes in what a client threw. Clients wrap GraphQL errors differently: one error, a bare
 * list, Apollo's `errors` or `cause`, urql's `graphQLErrors`; a transport's refusal has none.
 */
export function codesOf(thrown: any): unknown[] {
  const list = Array.isArray(thrown) ? thrown : (thrown.errors ?? thrown.graphQLErrors ?? [thrown.cause ?? thrown]);
  return list.map((error: { extensions?: { code?: unknown } }) => error.extensions?.code);
}

/** Whether a document is a query, a mutation or a subscription. */
export const isOperation = (type: "query" | "mutation" | "subscription", document: DocumentNode) =>
  document.definitions.some((part) => part.kind === "OperationDefinition" && part.operation === type);
