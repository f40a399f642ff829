import { makeOperation } from "@urql/core";
import { map, pipe } from "wonka";
import { resumable } from "./document.js";
export { possibleTypes } from "./possibleTypes.js";
export function resumeExchange() {
    return ({ forward }) => {
        const streams = new Map();
        const prepare = (operation) => {
            if (operation.kind === "teardown") {
                streams.delete(operation.key);
                return operation;
            }
            const stream = operation.kind === "subscription" ? resumable(operation.query) : null;
            if (!stream)
                return operation;
            const variables = { ...operation.variables };
            streams.set(operation.key, { original: operation, stream, variables });
            const { key, extensions } = operation;
            return makeOperation("subscription", { key, extensions, query: stream.document, variables }, operation.context);
        };
        return (operations) => pipe(operations, map(prepare), forward, map((result) => {
            const found = streams.get(result.operation.key);
            if (!found)
                return result;
            const { original, stream, variables } = found;
            variables[stream.variable] = stream.cursor(result.data) ?? variables[stream.variable];
            return { ...result, operation: original };
        }));
    };
}
