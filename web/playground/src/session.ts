/** How the page gets its token. */
export type SessionState =
  | { kind: "none" }
  | { kind: "signing-in"; user: string }
  | { kind: "signed-in"; user: string }
  | { kind: "failed"; user: string; reason: string }
  | { kind: "pasted" };

/**
 * The identity of the page. Tokens are kept in memory. The name of the development user, or
 * a pasted token, survives a reload, but only in this browser tab, so that two tabs can have
 * two users.
 */
export interface Session {
  /** The state to render; a new object after every change. */
  state(): SessionState;
  /** Calls listener after every change of state; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** A token that is valid for at least RENEW_EARLY_MS, or null if there is none. */
  token(): Promise<string | null>;
  /** Drops a token that the server has rejected. Returns true if token() may return another one. */
  refuse(token: string | null): boolean;
}

/** Time before expiry at which the token is renewed, so that it does not expire in transit. */
export const RENEW_EARLY_MS = 60_000;

/** The base class of all sessions: a state and its listeners. */
export class Observable {
  #listeners = new Set<() => void>();
  #state: SessionState = { kind: "none" };

  state = () => this.#state;

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  protected become(state: SessionState) {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
