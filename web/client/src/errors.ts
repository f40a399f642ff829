/** The codes in `extensions.code` of the server's errors. The list is closed. */
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
] as const;

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
export class ErrandError extends Error {
  override readonly name = "ErrandError";
  readonly code: ErrorCode | NetworkErrorCode;
  /** All errors of the response; empty for a network error. */
  readonly errors: readonly ServerError[];
  /** The details of the first error. */
  readonly extensions: ErrorExtensions;
  /** The data of a response that also has errors; undefined without data. */
  readonly data: unknown;

  constructor(
    code: ErrorCode | NetworkErrorCode,
    message: string,
    details: { errors?: readonly ServerError[]; data?: unknown; cause?: unknown; retryAfterMs?: number } = {},
  ) {
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

/**
 * Converts whatever a GraphQL client throws into an ErrandError: an Apollo or urql error, the error list or close event
 * of a graphql-ws subscription, a `Message.error`, or a failed fetch.
 */
export function toErrandError(thrown: unknown): ErrandError {
  if (thrown instanceof ErrandError) return thrown;
  const errors = serverErrors(thrown);
  const code = errors[0]?.extensions?.code;
  if (code) return new ErrandError(code, errors[0]!.message, { errors, cause: thrown });
  const { code: own, message, retryAt, reason } = (thrown ?? {}) as Record<string, unknown>;
  const text = typeof message === "string" && message ? message : "";
  if (isErrorCode(own)) {
    const wait = typeof retryAt === "string" ? { retryAfterMs: Math.max(0, Date.parse(retryAt) - Date.now()) } : {};
    return new ErrandError(own, text, { cause: thrown, ...wait });
  }
  if (own === 4401 || own === 4403) return new ErrandError("UNAUTHENTICATED", String(reason), { cause: thrown });
  return new ErrandError("NETWORK_ERROR", text || "The server cannot be reached.", { cause: thrown });
}

/** The code of an error; "NETWORK_ERROR" for errors without an answer of the server. */
export const errorCode = (thrown: unknown): ErrorCode | NetworkErrorCode => toErrandError(thrown).code;

/** Whether the request did not reach the server, or its answer did not arrive. The request may have taken effect. */
export const isNetworkError = (thrown: unknown): boolean => errorCode(thrown) === "NETWORK_ERROR";

/** Whether the user must sign in again. */
export const isSignedOut = (thrown: unknown): boolean => errorCode(thrown) === "UNAUTHENTICATED";

/**
 * Milliseconds after which the same request may succeed; undefined if a retry is pointless. Retry a mutation only if it
 * is idempotent or has an idempotency key.
 */
export function retryAfterMs(thrown: unknown): number | undefined {
  const error = toErrandError(thrown);
  switch (error.code) {
    case "RATE_LIMITED":
    case "SERVICE_UNAVAILABLE":
    case "NETWORK_ERROR":
      return error.extensions.retryAfterMs ?? 1000;
  }
  return undefined;
}

const isErrorCode = (value: unknown): value is ErrorCode => (errorCodes as readonly unknown[]).includes(value);

/** Finds the GraphQL errors where clients put them. */
function serverErrors(thrown: unknown): readonly ServerError[] {
  if (Array.isArray(thrown)) return thrown;
  const { errors, graphQLErrors, cause, extensions } = (thrown ?? {}) as Record<string, unknown>;
  for (const list of [errors, graphQLErrors]) if (Array.isArray(list) && list.length > 0) return list;
  if (extensions) return [thrown as ServerError];
  return cause && cause !== thrown ? serverErrors(cause) : [];
}
