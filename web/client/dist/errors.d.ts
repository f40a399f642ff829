/** The codes in `extensions.code` of the server's errors. The list is closed. */
export declare const errorCodes: readonly ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT", "CONFLICT", "RATE_LIMITED", "COMPLEXITY_LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR"];
/** A code in `extensions.code` of the server's errors. */
export type ErrorCode = (typeof errorCodes)[number];
/** Code of errors without an answer of the server: offline, connection refused or lost, an answer of a proxy. */
export type NetworkErrorCode = "NETWORK_ERROR";
/** The `extensions` of the server's errors. */
export interface ErrorExtensions {
    code?: ErrorCode;
    /** BAD_USER_INPUT: the invalid input field or argument. */
    field?: string;
    /** FORBIDDEN: the scope that the token lacks. */
    scope?: string;
    /** FORBIDDEN: the exceeded quota. */
    limit?: string;
    /** FORBIDDEN: the value of the exceeded quota. */
    max?: number;
    /** RATE_LIMITED, SERVICE_UNAVAILABLE: milliseconds after which a retry may succeed. */
    retryAfterMs?: number;
    /** SERVICE_UNAVAILABLE, INTERNAL_SERVER_ERROR: the request's id in the server's log. */
    requestId?: string;
}
/** An entry of a response's `errors`. */
export interface ServerError {
    message: string;
    path?: readonly (string | number)[];
    extensions?: ErrorExtensions;
}
/** The error of a request, with the code and the details of its first GraphQL error. */
export declare class ErrandError extends Error {
    readonly name = "ErrandError";
    readonly code: ErrorCode | NetworkErrorCode;
    /** All errors of the response; empty for a network error. */
    readonly errors: readonly ServerError[];
    /** The details of the first error. */
    readonly extensions: ErrorExtensions;
    /** The data of a response that also has errors; undefined without data. */
    readonly data: unknown;
    constructor(code: ErrorCode | NetworkErrorCode, message: string, details?: {
        errors?: readonly ServerError[];
        data?: unknown;
        cause?: unknown;
        retryAfterMs?: number;
    });
}
/**
 * Converts whatever a GraphQL client throws into an ErrandError: an Apollo or urql error, the error list or close event
 * of a graphql-ws subscription, a `Message.error`, or a failed fetch.
 */
export declare function toErrandError(thrown: unknown): ErrandError;
/** The code of an error; "NETWORK_ERROR" for errors without an answer of the server. */
export declare const errorCode: (thrown: unknown) => ErrorCode | NetworkErrorCode;
/** Whether the request did not reach the server, or its answer did not arrive. The request may have taken effect. */
export declare const isNetworkError: (thrown: unknown) => boolean;
/** Whether the user must sign in again. */
export declare const isSignedOut: (thrown: unknown) => boolean;
/**
 * Milliseconds after which the same request may succeed; undefined if a retry is pointless. Retry a mutation only if it
 * is idempotent or has an idempotency key.
 */
export declare function retryAfterMs(thrown: unknown): number | undefined;
