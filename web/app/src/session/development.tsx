import { useState, type FormEvent } from "react";
import { base } from "../base";
import { load, save } from "../store";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import type { Credentials, SignInMode } from "./session";

const STORED_USER = "user:development";
/** Set after a sign-out: the next visit begins with the form. */
const SIGNED_OUT = "development-signed-out";
const FIRST_USER = "alice";
/** A token is replaced this long before it expires. */
const RENEW_EARLY_MS = 60_000;

/** Signs in by name, without a password. The server allows it in development on loopback only. */
export class DevelopmentMode implements SignInMode {
  readonly key = "development";

  async resume(): Promise<Credentials | null> {
    const user = load<string>(STORED_USER) ?? (load(SIGNED_OUT) ? null : FIRST_USER);
    return user ? this.#credentials(user) : null;
  }

  #credentials(user: string): Credentials {
    save(STORED_USER, user);
    save(SIGNED_OUT, null);
    let grant: { token: string; expiresAt: number } | undefined;
    return {
      name: user,
      entries: [STORED_USER],
      token: async ({ reason }) => {
        if (reason !== "use" || !grant || grant.expiresAt - Date.now() < RENEW_EARLY_MS) grant = await signInAs(user);
        return grant.token;
      },
      signOut: async () => save(SIGNED_OUT, true),
    };
  }

  readonly Form = ({ done }: { done(credentials: Credentials): void }) => {
    const { t } = useTexts();
    const [name, setName] = useState("");
    const submit = (event: FormEvent) => {
      event.preventDefault();
      if (name.trim()) done(this.#credentials(name.trim()));
    };
    return (
      <form className="sign-in-form" onSubmit={submit}>
        <label>
          <span>{t("signIn.development.name")}</span>
          <input value={name} onChange={(event) => setName(event.target.value)} maxLength={100} autoComplete="username" autoFocus required />
        </label>
        <p className="hint">{t("signIn.development.hint")}</p>
        <Button type="submit" variant="primary">{t("signIn.submit")}</Button>
      </form>
    );
  };
}

async function signInAs(user: string): Promise<{ token: string; expiresAt: number }> {
  const response = await fetch(new URL("dev/sign-in", base), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!response.ok) throw new Error(`The sign-in answered with status ${response.status}.`);
  const grant = (await response.json()) as { token: string; expiresAt: string };
  return { token: grant.token, expiresAt: Date.parse(grant.expiresAt) };
}
