import { type Exchange } from "@urql/core";
export { possibleTypes } from "./possibleTypes.js";
/**
 * An exchange for the subscriptions of urql, before subscriptionExchange: after a reconnect each one continues from the
 * last event received. It adds `$after` and `cursor` to subscriptions that lack them. `forwardSubscription` must pass
 * the `variables` object on, not a copy of it.
 *
 *     exchanges: [cacheExchange, fetchExchange, resumeExchange(), subscriptionExchange({ forwardSubscription })]
 */
export declare function resumeExchange(): Exchange;
