import { makeOperation, type Exchange, type Operation } from "@urql/core";
import { map, pipe } from "wonka";
import { resumable, type Resumable } from "./document.js";

export { possibleTypes } from "./possibleTypes.js";

/**
 * An exchange for the subscriptions of urql, before subscriptionExchange: after a reconnect each one continues from the
 * last event received. It adds `$after` and `cursor` to subscriptions that lack them. `forwardSubscription` must pass
 * the `variables` object on, not a copy of it.
 *
 *     exchanges: [cacheExchange, fetchExchange, resumeExchange(), subscriptionExchange({ forwardSubscription })]
 */
export function resumeExchange(): Exchange {
  return ({ forward }) => {
    const streams = new Map<number, { original: Operation; stream: Resumable<object>; variables: Record<string, unknown> }>();
    const prepare = (operation: Operation): Operation => {
      if (operation.kind === "teardown") {
        streams.delete(operation.key);
        return operation;
      }
      const stream = operation.kind === "subscription" ? resumable(operation.query) : null;
      if (!stream) return operation;
      // graphql-ws sends this object again after a reconnect.
      const variables: Record<string, unknown> = { ...operation.variables };
      streams.set(operation.key, { original: operation, stream, variables });
      const { key, extensions } = operation;
      return makeOperation("subscription", { key, extensions, query: stream.document, variables }, operation.context);
    };
    return (operations) =>
      pipe(
        operations,
        map(prepare),
        forward,
        map((result) => {
          const found = streams.get(result.operation.key);
          if (!found) return result;
          const { original, stream, variables } = found;
          variables[stream.variable] = stream.cursor(result.data) ?? variables[stream.variable];
          return { ...result, operation: original };
        }),
      );
  };
}
