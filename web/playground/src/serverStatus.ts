import { base } from "./base";
import { Store } from "./store";

/** The error of a request that got no response. */
export const NO_RESPONSE = "The server does not respond. Is it running?";

/** The page's settings, which need no token. */
export const configURL = new URL("playground/config.json", base);

const PROBE_EVERY_MS = 2_000;

/** Whether the server responds. After a request without a response it probes the server until it responds again. */
export class ServerStatus {
  readonly state = new Store<"up" | "away">("up");
  #probing = false;

  /** fetch that observes whether the server responds; rejects with NO_RESPONSE. */
  fetch: typeof fetch = async (input, init) => {
    try {
      const response = await fetch(input, init);
      // A gateway answers for a server that is away.
      if (response.status !== 502 && response.status !== 504) this.state.set("up");
      else this.#lose();
      return response;
    } catch {
      this.#lose();
      throw new Error(NO_RESPONSE);
    }
  };

  /** Notes that the server has responded in another way. */
  found = () => this.state.set("up");

  /** Finds out whether the server responds. */
  check = () => {
    if (!this.#probing) void this.fetch(configURL).catch(() => {});
  };

  #lose() {
    this.state.set("away");
    if (this.#probing) return;
    this.#probing = true;
    window.setTimeout(() => {
      this.#probing = false;
      if (this.state.get() === "away") this.check();
    }, PROBE_EVERY_MS);
  }
}

/** The message in an error body: GraphQL, other JSON or plain text; undefined for a page. */
export function reasonIn(text: string): string | undefined {
  try {
    const body = JSON.parse(text);
    const message = body.errors?.[0]?.message ?? body.error?.message ?? body.error ?? body.message;
    return typeof message === "string" ? message : undefined;
  } catch {
    const isPage = text.trimStart().startsWith("<");
    return (!isPage && text.trim().slice(0, 200)) || undefined;
  }
}
