import { ApolloLink, type TypePolicies } from "@apollo/client";
export { possibleTypes } from "./possibleTypes.js";
/**
 * A link for the subscriptions of Apollo Client, before GraphQLWsLink: after a reconnect each one continues from the
 * last event received. It adds `$after` and `cursor` to subscriptions that lack them.
 *
 *     ApolloLink.from([resumeLink(), new GraphQLWsLink(createClient(socketOptions({ url, token })))])
 */
export declare function resumeLink(): ApolloLink;
/** Cache policies: the lists of the API are paged as Relay connections, tool calls are merged by id. */
export declare const typePolicies: TypePolicies;
