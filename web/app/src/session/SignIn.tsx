import type { ErrandError } from "@errand/client";
import { Fragment, useState, type ReactNode } from "react";
import { signInError } from "../router";
import { isTextKey, useTexts } from "../texts";
import { Logo } from "../ui/Logo";
import { session, type SignInMode } from "./session";
import "./sign-in.css";

/** The page of users who are not signed in: a form for each way to sign in. */
export function SignIn({ modes, error }: { modes: readonly SignInMode[]; error: ErrandError | null }) {
  const { t } = useTexts();
  const [failure] = useState(takeFailure);
  const failureText = () => {
    const key = `signIn.error.${failure}`;
    return isTextKey(key) ? t(key) : t("signIn.error", { code: failure! });
  };
  return (
    <SignInCard title={t("signIn.title")} hint={t("app.tagline")}>
      {error && <p role="alert" className="notice">{t("signIn.ended")}</p>}
      {failure && <p role="alert" className="notice">{failureText()}</p>}
      {modes.map(({ key, Form }, index) => (
        <Fragment key={key}>
          {index > 0 && <p className="or">{t("signIn.or")}</p>}
          <Form done={(credentials) => void session.signIn(credentials)} />
        </Fragment>
      ))}
      {modes.length === 0 && <p>{t("signIn.none")}</p>}
    </SignInCard>
  );
}

/** Returns the code of a failed sign-in at a provider, and removes it from the address, so that a reload is a retry. */
function takeFailure(): string | null {
  const failure = signInError();
  if (failure) history.replaceState(null, "", "#/");
  return failure;
}

/** The frame of the pages before the sign-in. */
export function SignInCard({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo size={44} />
        <h1>{title}</h1>
        {hint && <p className="hint">{hint}</p>}
        {children}
      </div>
    </main>
  );
}
