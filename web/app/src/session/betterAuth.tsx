import { ErrandError } from "@errand/client";
import { useState, type FormEvent } from "react";
import { load, save } from "../store";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Field, FormError, PasswordField, useSubmission } from "./fields";
import { claimsOf } from "./jwt";
import type { Credentials, SignInMode } from "./session";
import { TokenMode } from "./token";

/** Set while the browser has a session at the issuer. */
const STORED = "user:better-auth";
/** A token is replaced this long before it expires. */
const RENEW_EARLY_MS = 60_000;

/**
 * Signs in at a Better Auth server with e-mail and password. The browser keeps its session in a cookie of that server,
 * which must allow requests of this page with credentials; tokens come from its JWT plugin. Where it does not, users can
 * paste a token.
 */
export class BetterAuthMode implements SignInMode {
  readonly key = "better-auth";
  readonly #tokenMode: TokenMode;

  /** `api` is the URL of the Better Auth API, such as `https://app.example.com/api/auth`. */
  constructor(private readonly api: string, issuer: string | null) {
    this.#tokenMode = new TokenMode(issuer);
  }

  async resume(): Promise<Credentials | null> {
    if (!load(STORED)) return this.#tokenMode.resume();
    const session = this.#credentials("");
    return (await session.token({ reason: "use" })) ? session : null;
  }

  #credentials(name: string): Credentials {
    save(STORED, true);
    let token: string | null = null;
    return {
      name,
      entries: [STORED],
      token: async ({ reason }) => {
        if (reason !== "use" || token === null || expiry(token) - Date.now() < RENEW_EARLY_MS) token = await this.#token();
        return token;
      },
      forget: () => (token = null),
      signOut: async () => void (await this.#send("POST", "sign-out")),
    };
  }

  /** A token of the session; null once it has ended. */
  async #token(): Promise<string | null> {
    const response = await this.#send("GET", "token");
    if (response.status === 401 || response.status === 403) return null;
    if (!response.ok) throw new ErrandError("NETWORK_ERROR", `The identity provider answered with status ${response.status}.`);
    return ((await response.json()) as { token: string }).token;
  }

  async #signIn(email: string, password: string): Promise<void> {
    const response = await this.#send("POST", "sign-in/email", { email, password });
    if (response.ok) return;
    const { message = "" } = (await response.json().catch(() => ({}))) as { message?: string };
    const seconds = Number(response.headers.get("x-retry-after") ?? response.headers.get("retry-after")) || 10;
    if (response.status === 429) throw new ErrandError("RATE_LIMITED", message, { retryAfterMs: seconds * 1_000 });
    throw new ErrandError(response.status === 401 ? "UNAUTHENTICATED" : "FORBIDDEN", message || `The identity provider answered with status ${response.status}.`);
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(`${this.api}/${path}`, {
        method,
        credentials: "include",
        cache: "no-store",
        ...(method === "POST" && { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) }),
      });
    } catch (cause) {
      throw new ErrandError("NETWORK_ERROR", "The identity provider cannot be reached.", { cause });
    }
  }

  readonly Form = ({ done }: { done(credentials: Credentials): void }) => {
    const { t } = useTexts();
    const [email, setEmail] = useState("");
    const [password, setPassword] = useState("");
    const { submit, isReady, error, seconds } = useSubmission();
    const signIn = (event: FormEvent) => {
      event.preventDefault();
      if (!isReady) return;
      void submit(async () => {
        await this.#signIn(email.trim(), password);
        done(this.#credentials(email.trim()));
      });
    };
    const isBlocked = error?.code === "NETWORK_ERROR";
    const { Form: TokenForm } = this.#tokenMode;
    return (
      <>
        <form className="sign-in-form" onSubmit={signIn}>
          <Field label={t("signIn.email")} value={email} change={setEmail} type="email" name="email" autoComplete="username" autoFocus required />
          <PasswordField label={t("signIn.password")} value={password} change={setPassword} name="password" autoComplete="current-password" required />
          {isBlocked ? (
            <p role="alert" className="notice">{t("signIn.blocked", { provider: new URL(this.api).host })}</p>
          ) : (
            <FormError error={error} seconds={seconds} unauthenticated={t("signIn.wrongEmail")} />
          )}
          <Button type="submit" variant="primary" disabled={!isReady}>{t("signIn.submit")}</Button>
          <p className="hint">{t("signIn.at", { provider: new URL(this.api).host })}</p>
        </form>
        {isBlocked && <TokenForm done={done} />}
      </>
    );
  };
}

/** When a token expires, in milliseconds; 0 if it cannot be read. */
const expiry = (token: string): number => (claimsOf(token).exp ?? 0) * 1_000;
