import type { Client } from "graphql-ws";
/**
 * Wraps a graphql-ws client so that a subscription that is repeated after a reconnect continues from the last event
 * received: the event's `cursor` is passed as `after`. Subscriptions must declare `$after: Cursor`, pass it to the
 * stream and select `cursor`; otherwise `subscribe` throws an error with the correction.
 */
export declare function resume<C extends Pick<Client, "subscribe">>(client: C): C;
