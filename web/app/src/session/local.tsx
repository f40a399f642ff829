import { useState, type FormEvent } from "react";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Field, FormError, PasswordField, useSubmission } from "./fields";
import { authRequest } from "./http";
import { choosePasskey, hasPasskeys, type Ceremony } from "./passkeys";
import { beginSession, ServerSession, type Grant } from "./serverSession";
import type { Credentials, SignInMode } from "./session";

/** Signs in with a built-in account: by its password or a passkey. */
export class LocalMode implements SignInMode {
  readonly key = "local";

  /** With `isSetUpOpen`, no one has an account yet. */
  constructor(private readonly isSetUpOpen: boolean) {}

  resume(): Promise<Credentials | null> {
    return ServerSession.resume();
  }

  readonly Form = ({ done }: { done(credentials: Credentials): void }) =>
    this.isSetUpOpen ? <SetUpOpen /> : <LocalForm done={done} />;
}

function LocalForm({ done }: { done(credentials: Credentials): void }) {
  const { t } = useTexts();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [isPasskey, setPasskey] = useState(false);
  const { submit, isReady, error, seconds } = useSubmission();
  const signIn = (event: FormEvent) => {
    event.preventDefault();
    setPasskey(false);
    if (isReady) void submit(async () => done(beginSession(await authRequest<Grant>("POST", "sign-in", { login: login.trim(), password }))));
  };
  const usePasskey = () => {
    setPasskey(true);
    return submit(async () => {
      const ceremony = await authRequest<Ceremony>("POST", "passkeys/sign-in/options");
      const credential = await choosePasskey(ceremony);
      if (!credential) return;
      done(beginSession(await authRequest<Grant>("POST", "passkeys/sign-in", { ceremony: ceremony.ceremony, credential })));
    });
  };
  return (
    <form className="sign-in-form" onSubmit={signIn}>
      <Field label={t("signIn.login")} value={login} change={setLogin} name="login" autoComplete="username" maxLength={64} autoFocus required />
      <PasswordField label={t("signIn.password")} value={password} change={setPassword} name="password" autoComplete="current-password" required />
      <FormError error={error} seconds={seconds} unauthenticated={t(isPasskey ? "signIn.wrongPasskey" : "signIn.wrong")} />
      <Button type="submit" variant="primary" disabled={!isReady}>{t("signIn.submit")}</Button>
      {hasPasskeys() && <Button icon="key" disabled={!isReady} onClick={() => void usePasskey()}>{t("signIn.passkey")}</Button>}
      <p className="hint">{t("signIn.forgotten")}</p>
    </form>
  );
}

/** Shown while no one has an account: only the link of the server's log creates the first one. */
function SetUpOpen() {
  const { t } = useTexts();
  return (
    <div className="sign-in-form">
      <p><strong>{t("signIn.setUp")}</strong></p>
      <p>{t("signIn.setUpHow")}</p>
      <p className="hint" dir="ltr"><code>{`${location.origin}${location.pathname}#/join/…`}</code></p>
      <Button icon="retry" onClick={() => location.reload()}>{t("action.retry")}</Button>
    </div>
  );
}
