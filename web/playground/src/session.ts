/** How the page comes by its token. */
export type SessionState =
  | { kind: "none" }
  | { kind: "signing-in"; user: string }
  | { kind: "signed-in"; user: string }
  | { kind: "failed"; user: string; reason: string }
  | { kind: "pasted" };

/**
 * The identity the page acts as. Tokens live in memory; only the name of the
 * development user, or a token somebody pasted, outlives a reload, and then only
 * in this browser tab, so that two tabs can be two people.
 */
export interface Session {
  /** The state to render; a new object after every change. */
  state(): SessionState;
  /** Calls listener after every change of state; returns the way to stop. */
  subscribe(listener: () => void): () => void;
  /** A token that is good for at least RENEW_EARLY_MS, or null when there is none. */
  token(): Promise<string | null>;
  /** Drops a token the server refused. True when asking token() again can bring a better one. */
  refuse(token: string | null): boolean;
}

/** Renew this long before the token expires, so that none is sent on its last breath. */
export const RENEW_EARLY_MS = 60_000;

/** The part every kind of session shares: a state and its listeners. */
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
