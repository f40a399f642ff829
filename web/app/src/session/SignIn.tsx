import type { ErrandError } from "@errand/client";
import { useTexts } from "../texts";
import { Logo } from "../ui/Logo";
import { session, type SignInMode } from "./session";
import "./sign-in.css";

/** The page of users who are not signed in: a form for each way to sign in. */
export function SignIn({ modes, error }: { modes: readonly SignInMode[]; error: ErrandError | null }) {
  const { t } = useTexts();
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo size={44} />
        <h1>{t("signIn.title")}</h1>
        <p className="hint">{t("app.tagline")}</p>
        {error && <p role="alert" className="notice">{t("signIn.ended")}</p>}
        {modes.map(({ key, Form }) => <Form key={key} done={(credentials) => void session.signIn(credentials)} />)}
        {modes.length === 0 && <p>{t("signIn.none")}</p>}
      </div>
    </main>
  );
}
