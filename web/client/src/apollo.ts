import { ApolloLink, type FieldMergeFunction, type Reference, type TypePolicies } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { tap } from "rxjs";
import { resumable } from "./document.js";

export { possibleTypes } from "./possibleTypes.js";

/**
 * A link for the subscriptions of Apollo Client, before GraphQLWsLink: after a reconnect each one continues from the
 * last event received. It adds `$after` and `cursor` to subscriptions that lack them.
 *
 *     ApolloLink.from([resumeLink(), new GraphQLWsLink(createClient(socketOptions({ url, token })))])
 */
export function resumeLink(): ApolloLink {
  return new ApolloLink((operation, forward) => {
    const stream = resumable(operation.query);
    if (!stream) return forward(operation);
    operation.query = stream.document;
    // GraphQLWsLink passes this object on, and graphql-ws sends it again after a reconnect.
    const variables = (operation.variables = { ...operation.variables });
    return forward(operation).pipe(
      tap(({ data }) => {
        variables[stream.variable] = stream.cursor(data) ?? variables[stream.variable];
      }),
    );
  });
}

/** A tool call is never removed: keeps those that an older response does not hold. */
const mergeToolCalls: FieldMergeFunction<readonly Reference[]> = (existing = [], incoming, { readField }) => {
  const ids = new Set(incoming.map((call) => readField("id", call)));
  const missing = existing.filter((call) => !ids.has(readField("id", call)));
  return missing.length > 0 && existing.length > incoming.length ? existing : [...incoming, ...missing];
};

/** Cache policies: the lists of the API are paged as Relay connections, tool calls are merged by id. */
export const typePolicies: TypePolicies = {
  Query: {
    fields: {
      tasks: relayStylePagination(["orderBy", "filter"]),
      conversations: relayStylePagination(["filter"]),
    },
  },
  Conversation: { fields: { messages: relayStylePagination() } },
  Message: { fields: { toolCalls: { merge: mergeToolCalls } } },
  Task: { fields: { changes: relayStylePagination() } },
  // It has no id: queries of different fields complete each other.
  TaskCounts: { merge: true },
};
