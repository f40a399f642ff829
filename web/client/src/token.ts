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
export function sharedToken(source: TokenSource): (reason: TokenRequest["reason"]) => Promise<string | null | undefined> {
  const running = new Map<string, Promise<string | null | undefined>>();
  return (reason) => {
    let token = running.get(reason);
    if (!token) {
      token = (async () => source({ reason }))().finally(() => running.delete(reason));
      running.set(reason, token);
    }
    return token;
  };
}

/** Waits, at most until the browser is online again. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const scope = globalThis as Partial<Pick<typeof globalThis, "addEventListener" | "removeEventListener">>;
    const done = () => {
      clearTimeout(timer);
      scope.removeEventListener?.("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    scope.addEventListener?.("online", done);
  });
}

/** Milliseconds before retry number n, counted from 0: doubling from half a second to half a minute, with jitter. */
export const backoff = (n: number): number => Math.min(30_000, 500 * 2 ** n) * (0.5 + Math.random() / 2);
