import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws";
import { resumableText } from "./document.js";

/**
 * Wraps a graphql-ws client so that a subscription that is repeated after a reconnect continues from the last event
 * received: the event's `cursor` is passed as `after`. Subscriptions must declare `$after: Cursor`, pass it to the
 * stream and select `cursor`; otherwise `subscribe` throws an error with the correction.
 */
export function resume<C extends Pick<Client, "subscribe">>(client: C): C {
  const subscribe = (payload: SubscribePayload, sink: Sink<FormattedExecutionResult<any, any>>) => {
    const stream = resumableText(payload.query);
    if (!stream) return client.subscribe(payload, sink);
    // graphql-ws sends this object again after a reconnect.
    const variables: Record<string, unknown> = { ...payload.variables };
    return client.subscribe<any, any>(
      { ...payload, variables },
      {
        next: (result) => {
          variables[stream.variable] = stream.cursor(result.data) ?? variables[stream.variable];
          sink.next(result);
        },
        error: (error) => sink.error(error),
        complete: () => sink.complete(),
      },
    );
  };
  return { ...client, subscribe };
}
