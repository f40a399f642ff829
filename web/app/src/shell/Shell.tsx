import { useEffect, useRef, useState, type ReactNode } from "react";
import { ApprovalsView } from "../chat/ApprovalsView";
import { ChatView } from "../chat/ChatView";
import { ConversationList } from "../chat/ConversationList";
import { useApprovalCount } from "../chat/approvals";
import { prefer, preferences } from "../preferences";
import { href, navigate, useRoute, type Route } from "../router";
import { SettingsView } from "../settings/SettingsView";
import { useValue } from "../store";
import { TasksPanel } from "../tasks/TasksPanel";
import { TasksView } from "../tasks/TasksView";
import { useTexts, type TextKey } from "../texts";
import { IconButton } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { Logo } from "../ui/Logo";
import { Connection } from "./Connection";
import { Drawer } from "./drawer";
import { ShortcutList } from "./ShortcutList";
import { useShortcuts } from "./shortcuts";
import "./shell.css";

const views: { route: Route; icon: IconName; text: TextKey }[] = [
  { route: { view: "chat", conversationId: null }, icon: "chat", text: "nav.chat" },
  { route: { view: "tasks", list: null }, icon: "tasks", text: "nav.tasks" },
  { route: { view: "approvals" }, icon: "shield", text: "nav.approvals" },
  { route: { view: "settings", section: null }, icon: "gear", text: "nav.settings" },
];

/** The frame of the page for a user who is signed in: navigation, conversations, the view, and tasks beside a chat. */
export function Shell() {
  const { t } = useTexts();
  const route = useRoute();
  const { tasksBeside } = useValue(preferences);
  const [help, setHelp] = useState(false);
  const [drawer, setDrawer] = useState(false);
  useEffect(() => setDrawer(false), [href(route)]);
  const side = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!drawer) return;
    const close = (event: KeyboardEvent) => event.key === "Escape" && setDrawer(false);
    const before = document.activeElement;
    addEventListener("keydown", close);
    side.current!.querySelector<HTMLElement>(".drawer-close")!.focus();
    return () => {
      removeEventListener("keydown", close);
      const back = before?.isConnected ? before : document.querySelector(".drawer-button");
      if (back instanceof HTMLElement) back.focus();
    };
  }, [drawer]);
  useShortcuts([
    { key: "?", text: "shortcut.help", act: () => setHelp(true) },
    { key: "n", text: "shortcut.newChat", act: () => navigate({ view: "chat", conversationId: null }) },
    { key: "g", text: "shortcut.tasks", act: () => navigate(route.view === "tasks" ? { view: "chat", conversationId: null } : { view: "tasks", list: null }) },
    { key: "p", text: "shortcut.panel", act: () => (route.view === "chat" ? prefer({ tasksBeside: !tasksBeside }) : false) },
  ]);
  const beside = route.view === "chat" && tasksBeside;
  return (
    <Drawer value={{ open: drawer, setOpen: setDrawer }}>
      <div className={`shell ${beside ? "with-tasks" : ""} ${drawer ? "drawer-open" : ""}`}>
        <a className="skip" href="#main" inert={drawer} onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>{t("nav.skip")}</a>
        <div className="scrim" onClick={() => setDrawer(false)} />
        <div ref={side} className="side" aria-label={t("nav.label")} {...(drawer ? { role: "dialog", "aria-modal": true } : { role: "complementary" })}>
          <div className="side-head">
            <Logo />
            <span className="brand">Errand</span>
            <IconButton className="drawer-close" label={t("action.close")} icon="close" onClick={() => setDrawer(false)} />
          </div>
          <nav className="side-nav" aria-label={t("nav.views")}>
            <Links route={route} />
          </nav>
          <ConversationList current={route.view === "chat" ? route.conversationId : null} chosen={() => setDrawer(false)} />
        </div>
        <main id="main" className="view" tabIndex={-1} inert={drawer}>
          <Connection />
          <View route={route} />
        </main>
        {beside && <aside className="beside" aria-label={t("nav.tasks")}><TasksPanel /></aside>}
        <nav className="tabs" aria-label={t("nav.views")} inert={drawer}><Links route={route} /></nav>
      </div>
      {help && <ShortcutList close={() => setHelp(false)} />}
    </Drawer>
  );
}

function Links({ route }: { route: Route }): ReactNode {
  const { t } = useTexts();
  const approvals = useApprovalCount();
  return views.map(({ route: target, icon, text }) => {
    const count = target.view === "approvals" ? approvals : 0;
    return (
      <a key={text} href={href(target)} aria-current={target.view === route.view ? "page" : undefined}>
        <Icon name={icon} />
        <span>{t(text)}</span>
        {count > 0 && <span className="badge" aria-label={t("approvals.count", { count })}>{count}</span>}
      </a>
    );
  });
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "chat":
      return <ChatView conversationId={route.conversationId} />;
    case "tasks":
      return <TasksView list={route.list} />;
    case "approvals":
      return <ApprovalsView />;
    case "settings":
      return <SettingsView section={route.section} />;
  }
}
