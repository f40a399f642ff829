import { useState, type FormEvent } from "react";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import type { Credentials, SignInMode } from "./session";

const STORED_TOKEN = "errand:token";

/** Uses a pasted token of the identity provider. It is kept until the browser tab is closed. */
export class TokenMode implements SignInMode {
  readonly key = "token";

  constructor(private readonly issuer: string | null) {}

  async resume(): Promise<Credentials | null> {
    const token = sessionStorage.getItem(STORED_TOKEN);
    return token ? credentials(token) : null;
  }

  readonly Form = ({ done }: { done(credentials: Credentials): void }) => {
    const { t } = useTexts();
    const [token, setToken] = useState("");
    const submit = (event: FormEvent) => {
      event.preventDefault();
      const clean = token.trim().replace(/^Bearer\s+/i, "");
      if (!clean) return;
      sessionStorage.setItem(STORED_TOKEN, clean);
      done(credentials(clean));
    };
    return (
      <form className="sign-in-form" onSubmit={submit}>
        <label>
          <span>{t("signIn.token.label")}</span>
          <input type="password" value={token} onChange={(event) => setToken(event.target.value)} autoComplete="off" spellCheck={false} autoFocus required />
        </label>
        <p className="hint">{this.issuer ? t("signIn.token.issuer", { issuer: this.issuer }) : t("signIn.token.hint")}</p>
        <Button type="submit" variant="primary">{t("signIn.submit")}</Button>
      </form>
    );
  };
}

function credentials(token: string): Credentials {
  return {
    name: "",
    // Only the user can provide another token.
    token: ({ reason }) => {
      if (reason === "rejected") sessionStorage.removeItem(STORED_TOKEN);
      return reason === "use" ? token : null;
    },
    forget: () => sessionStorage.removeItem(STORED_TOKEN),
  };
}
