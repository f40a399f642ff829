import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import type { Client } from "./client.js";

/**
 * A subscription as an async iterable. It buffers payloads until they are read and throws the
 * client's error if the subscription fails. Leaving a for-await loop unsubscribes.
 */
export function iterate<D, V extends Record<string, unknown>>(
  client: Client,
  document: TypedDocumentNode<D, V>,
  variables: V,
): AsyncIterableIterator<D> {
  const steps: (() => IteratorResult<D, undefined>)[] = [];
  let wake = () => {};
  const push = (step: () => IteratorResult<D, undefined>) => {
    steps.push(step);
    wake();
  };
  const done = { value: undefined, done: true } as const;
  const stop = client.subscribe(document, variables, {
    next: (value) => push(() => ({ value, done: false })),
    fail: (error) => push(() => { throw error; }),
    end: () => push(() => done),
  });
  return {
    async next() {
      while (steps.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return steps.shift()!();
    },
    async return() {
      stop();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
