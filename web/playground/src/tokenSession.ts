import { LONGEST_TIMEOUT_MS, type Session, type SessionState } from "./session";
import { Store } from "./store";

const STORED_TOKEN = "errand:token";

/** Uses a pasted token, which is kept until the browser tab closes. */
export class TokenSession implements Session {
  readonly state = new Store<SessionState>({ kind: "none" });
  #token = sessionStorage.getItem(STORED_TOKEN);
  #expiry: number | undefined;

  constructor() {
    if (this.#token) this.#accept(this.#token);
  }

  /** Sets the token; an empty one signs out. A leading "Bearer " is dropped. */
  use(pasted: string) {
    this.#token = pasted.trim().replace(/^Bearer\s+/i, "") || null;
    clearTimeout(this.#expiry);
    if (this.#token) sessionStorage.setItem(STORED_TOKEN, this.#token);
    else sessionStorage.removeItem(STORED_TOKEN);
    if (this.#token) this.#accept(this.#token);
    else this.state.set({ kind: "none" });
  }

  token = async () => this.#token;

  // Only the user can provide another token.
  refuse = (token: string | null, reason: string) => {
    const current = token !== null && token === this.#token;
    if (current && this.state.get().kind === "pasted") this.state.set({ kind: "rejected", reason });
    return false;
  };

  retry = () => {};

  #accept(token: string) {
    const expiresAt = expiryOf(token);
    this.state.set({ kind: "pasted", expiresAt });
    if (!expiresAt) return;
    const wait = Math.min(expiresAt.getTime() - Date.now(), LONGEST_TIMEOUT_MS);
    this.#expiry = window.setTimeout(() => {
      if (Date.now() >= expiresAt.getTime()) this.refuse(token, `it expired at ${expiresAt.toLocaleString()}`);
    }, wait);
  }
}

/** The expiry time in a JSON Web Token; undefined for other tokens. */
function expiryOf(token: string): Date | undefined {
  try {
    const payload = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload));
    return typeof exp === "number" ? new Date(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}
