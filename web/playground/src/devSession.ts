import { base } from "./base";
import { reasonIn, type ServerStatus } from "./serverStatus";
import { LONGEST_TIMEOUT_MS, RENEW_EARLY_MS, type Session, type SessionState } from "./session";
import { Store } from "./store";

const STORED_USER = "errand:dev-user";

interface Grant {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** Signs in as a development user by name; the server allows it on loopback only. */
export class DevSession implements Session {
  #server: ServerStatus;
  #user = sessionStorage.getItem(STORED_USER) ?? "alice";
  readonly state = new Store<SessionState>({ kind: "signing-in", user: this.#user });
  #grant: Promise<Grant> | null = null;
  #refused: string | null = null;
  #renewal: number | undefined;

  constructor(server: ServerStatus) {
    this.#server = server;
  }

  /** Signs in as user. All later requests use the new identity. */
  signInAs(user: string) {
    this.#user = user;
    sessionStorage.setItem(STORED_USER, user);
    this.#renew().catch(() => {}); // the state has the reason
  }

  token = async () => {
    const grant = await (this.#grant ?? this.#renew());
    if (grant.token !== this.#refused && !nearlyExpired(grant)) return grant.token;
    return (await this.#renew()).token;
  };

  refuse = (token: string | null) => {
    this.#refused = token;
    return token !== null;
  };

  retry = () => {
    if (this.state.get().kind === "failed") this.#renew().catch(() => {}); // the state has the reason
  };

  #renew(): Promise<Grant> {
    const user = this.#user;
    if (this.state.get().kind !== "signed-in" || !this.#isCurrent(user)) {
      this.state.set({ kind: "signing-in", user });
    }
    const grant = this.#request(user);
    this.#grant = grant;
    grant.then(
      ({ expiresAt }) => this.#settle(grant, () => this.#signedIn(user, expiresAt)),
      (error: Error) =>
        this.#settle(grant, () => {
          this.#grant = null;
          this.state.set({ kind: "failed", user, reason: error.message });
        }),
    );
    return grant;
  }

  /** A response that arrives after a switch to another user is ignored. */
  #settle(grant: Promise<Grant>, apply: () => void) {
    if (this.#grant === grant) apply();
  }

  #signedIn(user: string, expiresAt: number) {
    this.state.set({ kind: "signed-in", user });
    clearTimeout(this.#renewal);
    const wait = Math.max(10_000, expiresAt - Date.now() - RENEW_EARLY_MS);
    this.#renewal = window.setTimeout(() => this.#renew().catch(() => {}), Math.min(wait, LONGEST_TIMEOUT_MS));
  }

  async #request(user: string): Promise<Grant> {
    const response = await this.#server.fetch(new URL("dev/sign-in", base), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(reasonIn(text) ?? `the server answered ${response.status}`);
    const grant = JSON.parse(text) as { token: string; expiresAt: string };
    return { token: grant.token, expiresAt: Date.parse(grant.expiresAt) };
  }

  #isCurrent(user: string) {
    const state = this.state.get();
    return state.kind === "signed-in" && state.user === user;
  }
}

function nearlyExpired(grant: Grant) {
  return grant.expiresAt - Date.now() < RENEW_EARLY_MS;
}
