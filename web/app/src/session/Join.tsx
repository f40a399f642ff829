import { errorCode, retryAfterMs } from "@errand/client";
import { useEffect, useState, type FormEvent } from "react";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { messageOf } from "../ui/toasts";
import { Field, FormError, isShort, PasswordField, useSubmission } from "./fields";
import { authRequest } from "./http";
import { beginSession, type Grant } from "./serverSession";
import { session } from "./session";
import { SignInCard } from "./SignIn";
import "./sign-in.css";

/** What a link is for. */
interface Link {
  kind: "SETUP" | "INVITE" | "RESET";
  /** The account that the link is for; left out if it creates one. */
  login?: string;
}

type State = { link: Link } | { fault: string } | null;

/** The page of a link: the set-up of the server, an invitation or a new password. */
export function Join({ token }: { token: string }) {
  const { t } = useTexts();
  const [state, setState] = useState<State>(null);
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      try {
        const link = await authRequest<Link>("POST", "link", { token });
        if (!ended) setState({ link });
      } catch (error) {
        if (ended) return;
        setState({ fault: errorCode(error) === "NOT_FOUND" ? t("join.invalid") : messageOf(error) });
        const wait = retryAfterMs(error);
        if (wait !== undefined) timer = setTimeout(() => void read(), wait);
      }
    };
    void read();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [token, t]);
  if (state === null) return <SignInCard title={t("app.loading")}>{null}</SignInCard>;
  if ("fault" in state) {
    return (
      <SignInCard title={t("join.title")}>
        <p role="alert" className="notice">{state.fault}</p>
        <Button onClick={leave}>{t("join.signIn")}</Button>
      </SignInCard>
    );
  }
  const { link } = state;
  return (
    <SignInCard title={t(`join.${link.kind}`)} hint={t(`join.${link.kind}.hint`, { login: link.login ?? "" })}>
      <JoinForm token={token} link={link} />
    </SignInCard>
  );
}

/** Leads to the sign-in. The link stays valid. */
function leave(): void {
  location.replace("#/");
  location.reload();
}

function JoinForm({ token, link: { kind, login: known } }: { token: string; link: Link }) {
  const { t } = useTexts();
  const [login, setLogin] = useState(known ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [isTooShort, setTooShort] = useState(false);
  const { submit, isReady, error, seconds, fault, isOf } = useSubmission();
  const isNew = known === undefined;
  const redeem = (event: FormEvent) => {
    event.preventDefault();
    const tooShort = isShort(password);
    setTooShort(tooShort);
    if (tooShort || !isReady) return;
    void submit(async () => {
      const body = { token, login: login.trim(), password, ...(name.trim() && { name: name.trim() }) };
      const grant = await authRequest<Grant>("POST", "redeem", body);
      // The link is used: the history should not lead to it.
      history.replaceState(null, "", "#/");
      await session.signIn(beginSession(grant));
    });
  };
  return (
    <form className="sign-in-form" onSubmit={redeem}>
      <Field
        label={t("signIn.login")} value={login} change={setLogin} name="login" autoComplete="username" maxLength={64}
        required readOnly={!isNew} autoFocus={isNew} fault={fault("login")} {...(isNew && { hint: t("join.loginHint") })}
      />
      {isNew && <Field label={t("join.name")} value={name} change={setName} name="name" autoComplete="name" autoCapitalize="words" maxLength={200} dir="auto" fault={fault("name")} />}
      <PasswordField
        label={t(kind === "RESET" ? "account.newPassword" : "signIn.password")} value={password} change={setPassword} name="password" autoComplete="new-password"
        required autoFocus={!isNew} hint={t("account.passwordHint")} fault={isTooShort ? t("account.tooShort") : fault("password")}
      />
      {!isOf("login", "name", "password") && <FormError error={error} seconds={seconds} unauthenticated={t("join.invalid")} />}
      <Button type="submit" variant="primary" disabled={!isReady}>{t(`join.${kind}.submit`)}</Button>
    </form>
  );
}
