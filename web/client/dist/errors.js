export const errorCodes = [
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "BAD_USER_INPUT",
    "CONFLICT",
    "RATE_LIMITED",
    "COMPLEXITY_LIMIT_EXCEEDED",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
];
export class ErrandError extends Error {
    name = "ErrandError";
    code;
    errors;
    extensions;
    data;
    constructor(code, message, details = {}) {
        super(message, "cause" in details ? { cause: details.cause } : undefined);
        this.code = code;
        this.errors = details.errors ?? [];
        this.data = details.data;
        this.extensions = {
            ...this.errors[0]?.extensions,
            ...(details.retryAfterMs === undefined ? undefined : { retryAfterMs: details.retryAfterMs }),
        };
    }
}
export function toErrandError(thrown) {
    if (thrown instanceof ErrandError)
        return thrown;
    const errors = serverErrors(thrown);
    const code = errors[0]?.extensions?.code;
    if (code)
        return new ErrandError(code, errors[0].message, { errors, cause: thrown });
    const { code: own, message, retryAt, reason } = (thrown ?? {});
    const text = typeof message === "string" && message ? message : "";
    if (isErrorCode(own)) {
        const wait = typeof retryAt === "string" ? { retryAfterMs: Math.max(0, Date.parse(retryAt) - Date.now()) } : {};
        return new ErrandError(own, text, { cause: thrown, ...wait });
    }
    if (own === 4401 || own === 4403)
        return new ErrandError("UNAUTHENTICATED", String(reason), { cause: thrown });
    return new ErrandError("NETWORK_ERROR", text || "The server cannot be reached.", { cause: thrown });
}
export const errorCode = (thrown) => toErrandError(thrown).code;
export const isNetworkError = (thrown) => errorCode(thrown) === "NETWORK_ERROR";
export const isSignedOut = (thrown) => errorCode(thrown) === "UNAUTHENTICATED";
export function retryAfterMs(thrown) {
    const error = toErrandError(thrown);
    switch (error.code) {
        case "RATE_LIMITED":
        case "SERVICE_UNAVAILABLE":
        case "NETWORK_ERROR":
            return error.extensions.retryAfterMs ?? 1000;
    }
    return undefined;
}
const isErrorCode = (value) => errorCodes.includes(value);
function serverErrors(thrown) {
    if (Array.isArray(thrown))
        return thrown;
    const { errors, graphQLErrors, cause, extensions } = (thrown ?? {});
    for (const list of [errors, graphQLErrors])
        if (Array.isArray(list) && list.length > 0)
            return list;
    if (extensions)
        return [thrown];
    return cause && cause !== thrown ? serverErrors(cause) : [];
}
