import { ApolloLink } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { tap } from "rxjs";
import { resumable } from "./document.js";
export { possibleTypes } from "./possibleTypes.js";
export function resumeLink() {
    return new ApolloLink((operation, forward) => {
        const stream = resumable(operation.query);
        if (!stream)
            return forward(operation);
        operation.query = stream.document;
        const variables = (operation.variables = { ...operation.variables });
        return forward(operation).pipe(tap(({ data }) => {
            variables[stream.variable] = stream.cursor(data) ?? variables[stream.variable];
        }));
    });
}
const mergeToolCalls = (existing = [], incoming, { readField }) => {
    const ids = new Set(incoming.map((call) => readField("id", call)));
    const missing = existing.filter((call) => !ids.has(readField("id", call)));
    return missing.length > 0 && existing.length > incoming.length ? existing : [...incoming, ...missing];
};
export const typePolicies = {
    Query: {
        fields: {
            tasks: relayStylePagination(["orderBy", "filter"]),
            conversations: relayStylePagination(["filter"]),
        },
    },
    Conversation: { fields: { messages: relayStylePagination() } },
    Message: { fields: { toolCalls: { merge: mergeToolCalls } } },
    Task: { fields: { changes: relayStylePagination() } },
    TaskCounts: { merge: true },
};
