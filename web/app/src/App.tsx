import { ErrandProvider } from "@errand/react";
import { ApprovalsProvider } from "./chat/approvals";
import { ConversationsProvider } from "./chat/conversationsContext";
import { Join } from "./session/Join";
import { SignIn } from "./session/SignIn";
import { session } from "./session/session";
import { ServerProvider } from "./shell/server";
import { Shell } from "./shell/Shell";
import { useValue } from "./store";
import { LastTasks } from "./tasks/lastTasks";
import { useTexts } from "./texts";
import { Logo } from "./ui/Logo";
import { Toasts } from "./ui/toasts";

/** The page: sign-in, or the shell. */
export function App() {
  return (
    <>
      <Page />
      <Toasts />
    </>
  );
}

function Page() {
  const { t } = useTexts();
  const state = useValue(session.state);
  switch (state.kind) {
    case "signed-in":
      return (
        <ErrandProvider client={state.errand}>
          <ServerProvider>
            <ConversationsProvider>
              <ApprovalsProvider><Shell /></ApprovalsProvider>
            </ConversationsProvider>
          </ServerProvider>
        </ErrandProvider>
      );
    case "joining":
      return <Join token={state.token} />;
    case "signed-out":
      return <SignIn modes={state.modes} error={state.error} />;
    default:
      return (
        <main className="splash" aria-busy="true">
          <Logo size={48} />
          <p role="status">{state.kind === "unreachable" ? t("connection.unreachable") : <span className="visually-hidden">{t("app.loading")}</span>}</p>
          {state.kind === "unreachable" && <LastTasks />}
        </main>
      );
  }
}
