import { createErrand, type Errand, type ErrandError, type TokenSource } from "@errand/client";
import type { ComponentType } from "react";
import { base } from "../base";
import { joinToken } from "../router";
import { forgetUser, load, save, UserStorage, Value } from "../store";
import { clearToasts } from "../ui/toasts";
import { BetterAuthMode } from "./betterAuth";
import { DevelopmentMode } from "./development";
import { LocalMode } from "./local";
import { OIDCMode } from "./oidc";
import { SignInMethodsDocument, type SignInMethodsQuery } from "./operations";
import type { AccountUser } from "./serverSession";
import { takeTimeZone } from "./timeZone";
import { TokenMode } from "./token";

export type AuthMethod = SignInMethodsQuery["serverInfo"]["auth"]["methods"][number];

/** The result of a sign-in. */
export interface Credentials {
  /** Name that the user has given to sign in; may be empty. */
  name: string;
  /** The token of requests; see TokenSource. */
  token: TokenSource;
  /** Entries of the browser's storage with which a later visit continues the sign-in. */
  entries?: readonly string[];
  /** The user of a built-in account of the server. Left out, or null, with other ways to sign in. */
  account?: AccountUser | null;
  /** Forgets the token of this tab. Called in every tab of the page. */
  forget?(): void;
  /**
   * Ends the sign-in at the issuer; `everywhere` also in other browsers, where it rejects if that has failed. Called in
   * the tab where the user signs out.
   */
  signOut?(everywhere: boolean): Promise<void>;
}

/**
 * A way to sign in. To add one, write a class beside local.tsx and name it in `modeFor`; nothing else of the page
 * knows how users sign in. A mode keeps what it needs for a later visit under `user:` in the browser's storage, which
 * sign-out removes.
 */
export interface SignInMode {
  /** Unique among the modes. */
  readonly key: string;
  /** Continues the sign-in of an earlier visit; null if there is none. */
  resume(): Promise<Credentials | null>;
  /** The form of this mode on the sign-in page. It calls `done` with the credentials. */
  readonly Form: ComponentType<{ done(credentials: Credentials): void }>;
}

/** Returns the mode of a method that the server names; null for unknown kinds. */
function modeFor(method: AuthMethod, isSetUpOpen: boolean): SignInMode | null {
  switch (method.kind) {
    case "LOCAL":
      return new LocalMode(isSetUpOpen);
    case "OIDC":
      return new OIDCMode(method.issuer);
    case "DEVELOPMENT":
      return new DevelopmentMode();
    case "IDENTITY_PROVIDER":
      return method.betterAuth ? new BetterAuthMode(method.betterAuth, method.issuer) : new TokenMode(method.issuer);
    default:
      return null;
  }
}

export type SessionState =
  | { kind: "loading" }
  /** The server has not answered yet; the page keeps trying. */
  | { kind: "unreachable" }
  | { kind: "signed-out"; modes: readonly SignInMode[]; error: ErrandError | null }
  /** The page was opened by a link to set up the server, to join it or to reset a password. */
  | { kind: "joining"; token: string }
  | { kind: "signed-in"; errand: Errand; credentials: Credentials; storage: UserStorage };

const endpoint = new URL("graphql", base).href;
/** Id of the user whose entries are stored. */
export const USER = "user:id";
/** Set while a user is signed in. Its removal signs other tabs out. */
const MARK = "user:signed-in";

/** Who is signed in. */
class Session {
  readonly state = new Value<SessionState>({ kind: "loading" });
  #modes: readonly SignInMode[] = [];
  #isBeginning = false;

  /** Asks the server for its ways to sign in, and continues the sign-in of an earlier visit. */
  async start(): Promise<void> {
    addEventListener("storage", (event) => {
      if (event.key === `errand:${MARK}` && event.newValue === null) this.#leave();
    });
    // A link that is opened in this tab.
    addEventListener("hashchange", () => joinToken() !== null && this.state.get().kind !== "joining" && location.reload());
    this.#modes = await this.#methods();
    const token = joinToken();
    if (token !== null) return this.state.set({ kind: "joining", token });
    for (const mode of this.#modes) {
      const credentials = await mode.resume().catch(() => null);
      if (credentials) return this.#begin(credentials);
    }
    this.state.set({ kind: "signed-out", modes: this.#modes, error: null });
  }

  async #methods(): Promise<readonly SignInMode[]> {
    const anonymous = createErrand({ url: endpoint, token: () => null });
    for (;;) {
      try {
        const { serverInfo } = await anonymous.query(SignInMethodsDocument, {}, { retry: false });
        const { methods, setUpOpen } = serverInfo.auth;
        return methods.map((method) => modeFor(method, setUpOpen)).filter((mode) => mode !== null);
      } catch {
        this.state.set({ kind: "unreachable" });
        await new Promise((resolve) => setTimeout(resolve, 1_500));
      }
    }
  }

  async #begin(credentials: Credentials): Promise<void> {
    save(MARK, true);
    // The server may reject the credentials before the page is shown.
    let rejection = null as ErrandError | null;
    const errand = createErrand({
      url: endpoint,
      token: credentials.token,
      onSignedOut: (error) => (this.state.get().kind === "signed-in" ? this.#end(error) : (rejection = error)),
    });
    await takeTimeZone(errand);
    if (rejection) {
      errand.dispose();
      return this.state.set({ kind: "signed-out", modes: this.#modes, error: rejection });
    }
    this.state.set({ kind: "signed-in", errand, credentials, storage: new UserStorage() });
  }

  /** Called by the form of a mode, and by the page of a link. */
  readonly signIn = async (credentials: Credentials): Promise<void> => {
    if (this.#isBeginning || !["signed-out", "joining"].includes(this.state.get().kind)) return;
    this.#isBeginning = true;
    // After a session that has ended by itself, drafts and unsent messages wait for their user, and for no other.
    const asker = createErrand({ url: endpoint, token: credentials.token });
    const id = await asker.query<{ viewer: { id: string } }>("{ viewer { id } }").then((data) => data.viewer.id, () => null);
    if (id === null || id !== load(USER)) forgetUser(credentials.entries);
    // The set-up ends with the first account, so the ways to sign in have changed.
    if (this.state.get().kind === "joining") this.#modes = await this.#methods();
    await this.#begin(credentials);
    this.#isBeginning = false;
  };

  /**
   * Ends the session, and removes everything of the user from this browser. With `everywhere` all sessions of the user end;
   * it rejects, and nothing ends, if the server cannot be reached.
   */
  readonly signOut = async (everywhere = false): Promise<void> => {
    const state = this.state.get();
    if (state.kind !== "signed-in") return;
    const ending = state.credentials.signOut?.(everywhere);
    await (everywhere ? ending : ending?.catch(() => {}));
    this.#leave();
  };

  /** Leaves a session that has ended here or in another tab. */
  #leave(): void {
    if (this.state.get().kind !== "signed-in") return;
    this.#end(null);
    forgetUser();
    history.replaceState(null, "", "#/");
  }

  #end(error: ErrandError | null): void {
    const state = this.state.get();
    if (state.kind !== "signed-in") return;
    state.credentials.forget?.();
    state.errand.dispose();
    state.storage.close();
    clearToasts();
    this.state.set({ kind: "signed-out", modes: this.#modes, error });
  }
}

export const session = new Session();
