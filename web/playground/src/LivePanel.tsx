import { useEffect, useRef } from "react";
import type { LiveLog } from "./liveLog";

interface Props {
  log: LiveLog;
  follow: boolean;
  onFollow(follow: boolean): void;
  onClear(): void;
}

/** All subscription payloads in order. The result pane above shows only the newest. */
export function LivePanel({ log, follow, onFollow, onClear }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const newest = log.events.at(-1)?.key;
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [newest]);
  return (
    <section className="live" aria-label="Live events">
      <header>
        <h2>Live events</h2>
        <span className="live-count">{log.events.length || ""}</span>
        <label title="After a sendMessage, stream its conversation here until the reply is finished">
          <input type="checkbox" checked={follow} onChange={(event) => onFollow(event.target.checked)} />
          follow replies
        </label>
        <button type="button" onClick={onClear} disabled={log.events.length === 0}>
          Clear
        </button>
      </header>
      {log.reply && (
        <p className="live-reply" data-status={log.reply.status}>
          {log.reply.text || "…"}
          <small>{log.reply.status.toLowerCase()}</small>
        </p>
      )}
      <div className="live-events" ref={list} role="log" tabIndex={0}>
        {log.events.length === 0 && (
          <p className="live-empty">Send a message or run a subscription, and its events appear here.</p>
        )}
        {log.events.map((event) => (
          <div className="live-event" key={event.key}>
            <time>{event.time}</time> <b>{event.type}</b> <code>{event.detail}</code>
          </div>
        ))}
      </div>
    </section>
  );
}
