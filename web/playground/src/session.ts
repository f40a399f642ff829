import type { Store } from "./store";

/** How the page gets its token. */
export type SessionState =
  | { kind: "none" }
  | { kind: "signing-in"; user: string }
  | { kind: "signed-in"; user: string }
  | { kind: "failed"; user: string; reason: string }
  | { kind: "pasted"; expiresAt?: Date }
  | { kind: "rejected"; reason: string };

/**
 * The identity of the page. Tokens are kept in memory. The name of the development user, or
 * a pasted token, survives a reload, but only in this browser tab, so that two tabs can have
 * two users.
 */
export interface Session {
  readonly state: Store<SessionState>;
  /** A token, or null if there is none. A token that can be renewed is valid for at least RENEW_EARLY_MS. */
  token(): Promise<string | null>;
  /** Drops a token that the server has rejected. Returns true if token() may return another one. */
  refuse(token: string | null, reason: string): boolean;
  /** Signs in again if the last attempt failed. */
  retry(): void;
}

/** Time before expiry at which the token is renewed, so that it does not expire in transit. */
export const RENEW_EARLY_MS = 60_000;

/** Longest delay of setTimeout, which takes 32 bits; a longer one would fire at once. */
export const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
