import { base } from "./base";
import { Observable, RENEW_EARLY_MS, type Session } from "./session";

const STORED_USER = "errand:dev-user";

interface Grant {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** Signs in as a development user by name; the server allows it on loopback only. */
export class DevSession extends Observable implements Session {
  #user = sessionStorage.getItem(STORED_USER) ?? "alice";
  #grant: Promise<Grant> | null = null;
  #refused: string | null = null;
  #renewal: number | undefined;

  /** Signs in as user. All later requests use the new identity. */
  signInAs(user: string) {
    this.#user = user;
    sessionStorage.setItem(STORED_USER, user);
    this.#renew();
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

  #renew(): Promise<Grant> {
    const user = this.#user;
    if (this.state().kind !== "signed-in" || !this.#isCurrent(user)) {
      this.become({ kind: "signing-in", user });
    }
    const grant = requestGrant(user);
    this.#grant = grant;
    grant.then(
      ({ expiresAt }) => this.#settle(grant, () => this.#signedIn(user, expiresAt)),
      (error: Error) =>
        this.#settle(grant, () => {
          this.#grant = null;
          this.become({ kind: "failed", user, reason: error.message });
        }),
    );
    return grant;
  }

  /** A response that arrives after a switch to another user is ignored. */
  #settle(grant: Promise<Grant>, apply: () => void) {
    if (this.#grant === grant) apply();
  }

  #signedIn(user: string, expiresAt: number) {
    this.become({ kind: "signed-in", user });
    clearTimeout(this.#renewal);
    const wait = Math.max(10_000, expiresAt - Date.now() - RENEW_EARLY_MS);
    // setTimeout takes 32 bits; a longer delay would fire at once.
    this.#renewal = window.setTimeout(() => this.#renew(), Math.min(wait, 2 ** 31 - 1));
  }

  #isCurrent(user: string) {
    const state = this.state();
    return state.kind === "signed-in" && state.user === user;
  }
}

function nearlyExpired(grant: Grant) {
  return grant.expiresAt - Date.now() < RENEW_EARLY_MS;
}

async function requestGrant(user: string): Promise<Grant> {
  const response = await fetch(new URL("dev/sign-in", base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(reasonIn(text) ?? `the server answered ${response.status}`);
  const grant = JSON.parse(text) as { token: string; expiresAt: string };
  return { token: grant.token, expiresAt: Date.parse(grant.expiresAt) };
}

/** The message in an error body: GraphQL, other JSON or plain text. */
function reasonIn(text: string): string | undefined {
  try {
    const body = JSON.parse(text);
    const message = body.errors?.[0]?.message ?? body.error?.message ?? body.error ?? body.message;
    return typeof message === "string" ? message : undefined;
  } catch {
    return text.trim().slice(0, 200) || undefined;
  }
}
