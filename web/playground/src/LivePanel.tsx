import { memo, useDeferredValue, useEffect, useLayoutEffect, useRef } from "react";
import type { Conversation } from "./conversation";
import { currentReply, isUnfinished, KEPT_EVENTS, type LiveEvent } from "./liveLog";
import { useStore } from "./store";

/** All subscription payloads in order, and the text of the reply. The result pane shows only the newest payload. */
export function LivePanel({ conversation }: { conversation: Conversation }) {
  const { id, log: current, follow } = useStore(conversation.state);
  // Events that arrive faster than they can be rendered are rendered together.
  const log = useDeferredValue(current);
  const reply = currentReply(log);
  const newest = log.events.at(-1)?.key ?? 0;
  const replyText = useStickyEnd(reply?.text);
  const list = useStickyEnd(newest);
  return (
    <section className="live" aria-label="Live events">
      <header>
        <h2>Live events</h2>
        <span className="live-count">{newest > KEPT_EVENTS ? `${newest}, newest ${KEPT_EVENTS}` : newest || ""}</span>
        <label title="Stream the conversation of the last sendMessage here">
          <input type="checkbox" checked={follow} onChange={(event) => conversation.follow(event.target.checked)} />
          follow replies
        </label>
        <button type="button" onClick={() => conversation.close()} disabled={!id}>
          New conversation
        </button>
        <button type="button" onClick={() => conversation.clearLog()} disabled={newest === 0}>
          Clear
        </button>
      </header>
      {reply && (
        <div className="live-reply" data-status={reply.status}>
          <p
            ref={replyText}
            role="region"
            aria-label="Reply"
            aria-live="polite"
            aria-busy={isUnfinished(reply.status)}
            tabIndex={0}
          >
            {reply.text || "…"}
          </p>
          <small>{reply.status.toLowerCase()}</small>
        </div>
      )}
      <div className="live-events" ref={list} role="log" aria-label="Events" aria-live="off" tabIndex={0}>
        {newest === 0 && (
          <p className="live-empty">Send a message or run a subscription, and its events appear here.</p>
        )}
        {log.events.map((event) => (
          <Event event={event} key={event.key} />
        ))}
      </div>
    </section>
  );
}

const Event = memo(function Event({ event }: { event: LiveEvent }) {
  return (
    <div className="live-event" data-type={event.type}>
      <time>{event.time}</time> <b>{event.type}</b> <code>{event.detail}</code>
    </div>
  );
});

/** Scrolls an element to its end after each change, unless the user has scrolled up. */
function useStickyEnd(change: unknown) {
  const ref = useRef<HTMLDivElement & HTMLParagraphElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const onScroll = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
    };
    element.addEventListener("scroll", onScroll);
    return () => element.removeEventListener("scroll", onScroll);
  });
  // A layout effect: a scroll event between the change and the effect would count as the user's.
  useLayoutEffect(() => {
    if (ref.current && atEnd.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [change]);
  return ref;
}
