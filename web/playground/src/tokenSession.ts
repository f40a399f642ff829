import { Observable, type Session } from "./session";

const STORED_TOKEN = "errand:token";

/** Uses a pasted token, which is kept until the browser tab closes. */
export class TokenSession extends Observable implements Session {
  #token = sessionStorage.getItem(STORED_TOKEN);

  constructor() {
    super();
    if (this.#token) this.become({ kind: "pasted" });
  }

  /** Sets the token; an empty one signs out. A leading "Bearer " is dropped. */
  use(pasted: string) {
    this.#token = pasted.trim().replace(/^Bearer\s+/i, "") || null;
    if (this.#token) sessionStorage.setItem(STORED_TOKEN, this.#token);
    else sessionStorage.removeItem(STORED_TOKEN);
    this.become(this.#token ? { kind: "pasted" } : { kind: "none" });
  }

  token = async () => this.#token;

  // Only the user can provide another token; the page shows the server's error.
  refuse = () => false;
}
