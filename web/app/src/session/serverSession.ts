import { errorCode, type TokenRequest } from "@errand/client";
import { base } from "../base";
import { load, save } from "../store";
import { authRequest } from "./http";
import { claimsOf } from "./jwt";
import type { Credentials } from "./session";

/** The user of a built-in account. */
export interface AccountUser {
  login: string;
  name: string;
  role: "OWNER" | "MEMBER";
}

/** What the server returns when a session begins and when it is refreshed. */
export interface Grant {
  accessToken: string;
  expiresAt: string;
  /** Left out for users of an OpenID Connect provider. */
  user?: AccountUser;
}

/** A token is replaced this long before it expires. */
const RENEW_EARLY_MS = 60_000;
/** Name of the lock and of the channel that the tabs of this server's page share. */
const SHARED = `errand:session:${base.pathname}`;
/** Key that is set while a sign-out has not reached the server. It is kept for the browser, not for a user. */
const SIGN_OUT_PENDING = "sign-out-pending";

/**
 * A session that the server keeps: with a built-in account, or with a user of an OpenID Connect provider. The browser has
 * its secret in a cookie that scripts cannot read; the page has access tokens for some minutes, in memory only.
 *
 * The secret changes with each refresh. One tab refreshes at a time, and sends the token to the others.
 */
export class ServerSession implements Credentials {
  static #resumed: Promise<ServerSession | null> | undefined;
  readonly name: string;
  /** The user of a built-in account; null at a provider. */
  readonly account: AccountUser | null;
  readonly #subject: string;
  readonly #channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(SHARED);
  /** Null once the session has ended. */
  #grant: Grant | null;
  #renewing: Promise<string | null> | null = null;

  constructor(grant: Grant) {
    this.#grant = grant;
    this.#subject = subjectOf(grant);
    this.account = grant.user ?? null;
    this.name = grant.user?.login ?? "";
    this.#channel?.addEventListener("message", ({ data }: MessageEvent<Grant>) => this.#take(data));
  }

  /** Continues the session of an earlier visit; null if there is none. It is tried once, for all modes. */
  static resume(): Promise<ServerSession | null> {
    return (ServerSession.#resumed ??= ServerSession.#resume());
  }

  static async #resume(): Promise<ServerSession | null> {
    if (load(SIGN_OUT_PENDING)) {
      await endSession(false);
      return null;
    }
    const grant = await exclusively(refresh);
    return grant && new ServerSession(grant);
  }

  /** Returns a token of this user, never that of a user who has signed in in another tab meanwhile. */
  readonly token = async ({ reason }: TokenRequest): Promise<string | null> => {
    if (reason === "use" && this.#grant && isFresh(this.#grant)) return this.#grant.accessToken;
    return this.#grant && this.#renew(this.#grant);
  };

  readonly signOut = async (everywhere: boolean): Promise<void> => {
    if (everywhere) await authRequest("POST", "sign-out", { everywhere });
    else await endSession(everywhere);
  };

  readonly forget = (): void => {
    this.#grant = null;
    this.#channel?.close();
  };

  #renew(old: Grant): Promise<string | null> {
    this.#renewing ??= exclusively(async () => {
      // Another tab may have refreshed while this one waited for the lock.
      if (this.#grant !== old) return this.#grant;
      const grant = await refresh();
      // The user has signed out meanwhile.
      if (this.#grant === null) return null;
      if (grant) this.#channel?.postMessage(grant);
      this.#take(grant);
      return this.#grant;
    })
      .then((grant) => grant?.accessToken ?? null)
      .finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  #take(grant: Grant | null): void {
    if (this.#grant === null) return;
    if (grant === null || subjectOf(grant) === this.#subject) this.#grant = grant;
    else {
      this.#grant = null;
      location.reload();
    }
  }
}

/** Refreshes the session of the cookie; null if there is none. */
async function refresh(): Promise<Grant | null> {
  try {
    return await authRequest<Grant>("POST", "refresh");
  } catch (error) {
    if (errorCode(error) === "UNAUTHENTICATED") return null;
    throw error;
  }
}

/** Ends the session of the cookie. Without a network it is ended at the next visit. */
async function endSession(everywhere: boolean): Promise<void> {
  save(SIGN_OUT_PENDING, true);
  await authRequest("POST", "sign-out", { everywhere });
  save(SIGN_OUT_PENDING, null);
}

/** Begins a session after a sign-in, which replaces a session whose end is pending. */
export function beginSession(grant: Grant): ServerSession {
  save(SIGN_OUT_PENDING, null);
  return new ServerSession(grant);
}

const isFresh = ({ expiresAt }: Grant): boolean => Date.parse(expiresAt) - Date.now() > RENEW_EARLY_MS;

/** The issuer and the subject of a token. */
function subjectOf({ accessToken }: Grant): string {
  const { iss, sub } = claimsOf(accessToken);
  return JSON.stringify([iss, sub]);
}

/**
 * Runs one function at a time in all tabs. Browsers have locks in secure contexts only; without them the server accepts
 * the previous secret for some seconds, so that two tabs may refresh at the same time.
 */
function exclusively<T>(act: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(SHARED, act) as Promise<T>) : act();
}
