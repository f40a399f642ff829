import { isFinished, isNetworkError } from "@errand/client";
import { useChat, useConnection, type Chat, type ChatMessage } from "@errand/react";
import { useEffect, useMemo, useRef, useState } from "react";
import { prefer, preferences } from "../preferences";
import { href, navigate } from "../router";
import { session } from "../session/session";
import { ViewHeader } from "../shell/ViewHeader";
import { useValue } from "../store";
import { useTexts, type Texts } from "../texts";
import { Button, IconButton } from "../ui/Button";
import { announce, toast } from "../ui/toasts";
import { adoptDraft, Composer, type ComposerHandle } from "./Composer";
import { useTitle } from "./conversationsContext";
import { EmptyChat } from "./EmptyChat";
import { MessageList } from "./MessageList";
import type { MessageActions } from "./MessageRow";
import "./chat.css";

/** Messages of a page. */
const PAGE = 40;

/** A conversation; a new one without an id. */
export function ChatView({ conversationId }: { conversationId: string | null }) {
  const { t } = useTexts();
  const state = useValue(session.state);
  const chat = useChat(conversationId, {
    pageSize: PAGE,
    ...(state.kind === "signed-in" && { outbox: state.storage }),
    onConversation: (id) => {
      adoptDraft(id);
      navigate({ view: "chat", conversationId: id }, { replace: true });
    },
  });
  const title = useTitle(conversationId);
  const composer = useRef<ComposerHandle>(null);
  const [sent, setSent] = useState(0);
  const latest = useRef(chat);
  useEffect(() => {
    latest.current = chat;
  });
  useSpokenReplies(chat);
  useResending(chat);

  const actions = useMemo<MessageActions>(
    () => ({
      approve: (ids) => latest.current.approve(ids),
      reject: (ids) => latest.current.reject(ids),
      undo: (id) => void undo(latest.current, id, t),
      send: (text) => {
        setSent((n) => n + 1);
        void latest.current.send(text);
      },
      retry: () => void latest.current.retry(),
      cancel: (id) => void latest.current.cancel(id),
      edit: (text) => composer.current?.put(text),
    }),
    [t],
  );
  const undoLast = () => {
    const reply = latest.current.messages.findLast((m) => m.changes.some((c) => !c.undone));
    if (!reply) return false;
    actions.undo(reply.id);
  };
  const lastText = () => latest.current.messages.findLast((m) => m.role === "USER")?.content;
  const isBusy = chat.messages.some((m) => m.role === "ASSISTANT" && !isFinished(m.status));
  const isMissing = chat.error?.code === "NOT_FOUND" && chat.messages.length === 0;
  const isEmpty = !chat.loading && chat.messages.length === 0 && !chat.error;
  return (
    <>
      <ViewHeader title={conversationId ? title || t("conversations.untitled") : t("chat.new")}>
        <NewChat />
        <PanelToggle />
      </ViewHeader>
      {isMissing ? (
        <div className="empty">
          <p>{t("chat.notFound")}</p>
          <a className="button primary" href={href({ view: "chat", conversationId: null })}>{t("conversations.new")}</a>
        </div>
      ) : (
        <>
          {isEmpty ? <EmptyChat send={actions.send} /> : <MessageList key={keyOf(chat)} chat={chat} actions={actions} sent={sent} />}
          <ChatError chat={chat} />
          <Composer
            ref={composer}
            conversationId={conversationId}
            isBusy={isBusy}
            send={actions.send}
            stop={() => void chat.stop()}
            lastText={lastText}
            undoLast={undoLast}
          />
        </>
      )}
    </>
  );
}

const keys = new WeakMap<object, number>();
let lastKey = 0;

/** Distinguishes chats: a new conversation that gets its id remains the same one. */
function keyOf({ send }: Chat): number {
  if (!keys.has(send)) keys.set(send, ++lastKey);
  return keys.get(send)!;
}

/** A new conversation, where the list of conversations is not at the side. */
function NewChat() {
  const { t } = useTexts();
  return <IconButton className="drawer-button" label={t("conversations.new")} icon="plus" onClick={() => navigate({ view: "chat", conversationId: null })} />;
}

/** Shows or hides the tasks beside the chat. */
function PanelToggle() {
  const { t } = useTexts();
  const { tasksBeside } = useValue(preferences);
  return <IconButton className="only-beside" label={t("shortcut.panel")} icon="panel" aria-pressed={tasksBeside} onClick={() => prefer({ tasksBeside: !tasksBeside })} />;
}

/** An error that belongs to no message: of loading, of an approval or of an undo. */
function ChatError({ chat }: { chat: Chat }) {
  const { t } = useTexts();
  const { error } = chat;
  const last = chat.messages.at(-1);
  if (!error || last?.unsent === "failed" || last?.status === "FAILED") return null;
  const text = chat.loading || chat.messages.length === 0 ? t("chat.loadFailed", { reason: error.message }) : error.message;
  return (
    <p className="chat-error notice" role="alert">
      <span>{text}</span> <Button small onClick={() => void chat.retry()}>{t("action.retry")}</Button>
    </p>
  );
}

async function undo(chat: Chat, id: string, t: Texts["t"]): Promise<void> {
  const result = await chat.undo(id);
  if (!result) return; // the error is shown
  const { batchId, count, skipped } = result;
  const left = skipped.map((s) => t("change.skipped", { title: s.title, reason: s.reason }));
  const done = count > 0 ? t("change.undoneToast", { count }) : t("change.nothingUndone");
  const redo = { text: t("action.redo"), act: () => void chat.undo(batchId!) };
  toast([done, ...left].join(" "), batchId && count > 0 ? redo : undefined);
}

/** Has screen readers speak each reply once, when it is finished. */
function useSpokenReplies({ messages }: Chat) {
  const { t } = useTexts();
  const open = useRef(new Set<string>());
  useEffect(() => {
    for (const m of messages.slice(-20)) {
      if (m.role !== "ASSISTANT") continue;
      if (!isFinished(m.status)) open.current.add(m.id);
      else if (open.current.delete(m.id)) announce(t("chat.spoken", { text: spoken(m, t) }));
    }
  }, [messages, t]);
}

function spoken(message: ChatMessage, t: Texts["t"]): string {
  if (message.status === "CANCELLED") return t("chat.cancelled");
  if (message.status === "FAILED") return t("chat.failed", { reason: message.error?.message ?? "" });
  return message.content.replace(/[*_`#>]+/g, "");
}

/** Sends messages that failed for want of a network again, once it is back. */
function useResending(chat: Chat) {
  const connection = useConnection();
  const { error, retry } = chat;
  const waits = chat.messages.some((m) => m.unsent === "failed") && error !== null && isNetworkError(error);
  useEffect(() => {
    if (!waits) return;
    if (connection === "connected") return void retry();
    // Without a conversation there is no connection that could come back.
    const again = () => void retry();
    const timer = setInterval(again, 5_000);
    addEventListener("online", again);
    return () => {
      clearInterval(timer);
      removeEventListener("online", again);
    };
  }, [waits, connection, retry]);
}
