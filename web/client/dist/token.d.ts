/** Why a token is needed. */
export interface TokenRequest {
    /**
     * "use": for a request or a connection; a cached token will do. "expiring": the token of the open connection expires
     * soon. "rejected": the server has rejected the last token, for example because it has expired.
     */
    reason: "use" | "expiring" | "rejected";
}
/** Returns the user's token; null or undefined if no user is signed in. It may throw while the issuer cannot be reached. */
export type TokenSource = (request: TokenRequest) => string | null | undefined | Promise<string | null | undefined>;
/** Wraps a source so that concurrent calls for a new token share one. */
export declare function sharedToken(source: TokenSource): (reason: TokenRequest["reason"]) => Promise<string | null | undefined>;
/** Waits, at most until the browser is online again. */
export declare function pause(ms: number): Promise<void>;
/** Milliseconds before retry number n, counted from 0: doubling from half a second to half a minute, with jitter. */
export declare const backoff: (n: number) => number;
