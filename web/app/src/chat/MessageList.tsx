import { isNetworkError } from "@errand/client";
import { useConnection, type Chat, type ChatMessage } from "@errand/react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useOnline } from "../shell/Connection";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { MessageRow, type MessageActions } from "./MessageRow";
import { grow, initialWindow, messagesIn, type Window } from "./window";

/** Distance to an end of the list, in pixels, at which more rows are shown. */
const NEAR = 600;
/** Distance to the bottom below which the list follows new text. */
const PINNED = 48;

/** The messages of a conversation: at most a window of them is in the document, and new text is followed. */
export function MessageList({ chat, actions, sent }: { chat: Chat; actions: MessageActions; /** Raised when the user sends. */ sent: number }) {
  const { t } = useTexts();
  const { messages, hasOlder } = chat;
  const [range, setRange] = useState<Window>(initialWindow);
  const [away, setAway] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const pinned = useRef(true);
  const anchor = useRef<{ position: string; top: number } | null>(null);
  const shown = messagesIn(messages, range);
  // Messages that failed for want of a network are sent again when it is back.
  const online = useOnline();
  const lost = useConnection() === "lost";
  const isWaiting = !online || lost || (chat.error !== null && isNetworkError(chat.error));

  // A new message of the user is shown, wherever the list was.
  useLayoutEffect(() => {
    pinned.current = true;
    setRange(initialWindow);
  }, [sent]);

  // The text under the reader's eyes stays where it is: at the bottom if the list follows, else at the anchor.
  const stay = () => {
    const box = scroller.current!;
    if (pinned.current && range.end === null) box.scrollTop = box.scrollHeight;
    else if (anchor.current) {
      const row = box.querySelector<HTMLElement>(`[data-position="${anchor.current.position}"]`);
      if (row) box.scrollTop += row.getBoundingClientRect().top - anchor.current.top;
    }
    remember();
  };
  const remember = () => {
    const box = scroller.current!;
    const { top } = box.getBoundingClientRect();
    for (const row of box.querySelectorAll<HTMLElement>("[data-position]")) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom <= top) continue;
      anchor.current = { position: row.dataset["position"]!, top: rect.top };
      return;
    }
  };
  const latestStay = useRef(stay);
  useLayoutEffect(() => {
    latestStay.current = stay;
    stay();
  }, [messages, range]);
  useEffect(() => {
    // The keyboard of a phone, or a longer draft, makes the list lower.
    const observer = new ResizeObserver(() => latestStay.current());
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const box = scroller.current!;
    if (hasOlder && box.scrollHeight <= box.clientHeight) void chat.loadOlder();
  }, [messages, hasOlder]);

  const onScroll = () => {
    const box = scroller.current!;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    pinned.current = range.end === null && below < PINNED;
    setAway(range.end !== null || below > box.clientHeight / 2);
    remember();
    // While the reader is elsewhere, new messages do not push old ones out.
    if (!pinned.current && range.start === null && shown[0]) setRange({ start: shown[0].position, end: null });
    if (box.scrollTop < NEAR) {
      if ((shown[0]?.position ?? 1) > (messages[0]?.position ?? 1)) setRange(grow(messages, range, "up"));
      else if (hasOlder) void chat.loadOlder();
    } else if (below < NEAR && range.end !== null) setRange(grow(messages, range, "down"));
  };
  // Older messages have arrived while the list is at its top.
  const first = messages[0]?.position;
  useEffect(() => {
    if (scroller.current!.scrollTop < NEAR && !pinned.current) setRange((r) => grow(messages, r, "up"));
  }, [first]);

  const toLatest = () => {
    pinned.current = true;
    setRange({ ...initialWindow });
    setAway(false);
  };
  const queued = queuedIn(messages);
  const last = messages.at(-1);
  return (
    <div className="messages">
      <div ref={scroller} className="messages-scroll" tabIndex={0} role="region" aria-label={t("chat.messages")} onScroll={onScroll}>
        {hasOlder && shown[0] === messages[0] && <p className="hint older">{t("chat.older")}</p>}
        <ol className="messages-list">
          {shown.map((message) => (
            <MessageRow key={message.id} message={message} isLast={message === last} isQueued={queued.has(message.id)} isWaiting={isWaiting && message.unsent !== undefined} actions={actions} />
          ))}
        </ol>
      </div>
      {away && <Button className="to-latest" small icon="arrowDown" onClick={toLatest}>{t("chat.latest")}</Button>}
    </div>
  );
}

/** Ids of the replies that wait for an earlier one. */
function queuedIn(messages: readonly ChatMessage[]): ReadonlySet<string> {
  const open = messages.filter((m) => m.role === "ASSISTANT" && (m.status === "PENDING" || m.status === "STREAMING"));
  return new Set(open.slice(1).map((m) => m.id));
}
