import type { ToolCall } from "@errand/client";
import type { ChatChange, ChatMessage } from "@errand/react";
import { memo } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button, IconButton } from "../ui/Button";
import { Changes } from "./Changes";
import { CopyButton, Markdown } from "./Markdown";
import { Call, Questions } from "./ToolCalls";

/** What the buttons of a message do. The functions stay the same, so that rows are not rendered again. */
export interface MessageActions {
  approve(ids: readonly string[]): Promise<boolean>;
  reject(ids: readonly string[]): Promise<boolean>;
  undo(id: string): void;
  send(text: string): void;
  retry(): void;
  cancel(id: string): void;
  edit(text: string): void;
}

interface RowProps {
  message: ChatMessage;
  isLast: boolean;
  /** Whether the reply waits for an earlier one. */
  isQueued: boolean;
  /** Whether the message waits for a network. */
  isWaiting: boolean;
  actions: MessageActions;
}

/** A message. It is rendered again only if it has changed. */
export const MessageRow = memo(function MessageRow(props: RowProps) {
  const { t } = useTexts();
  const dates = useDates();
  const { message } = props;
  const isUser = message.role === "USER";
  return (
    <li className={`message ${isUser ? "from-user" : "from-agent"}`} tabIndex={-1} data-row="" data-position={message.position} data-status={message.status}>
      <span className="visually-hidden">{isUser ? t("chat.you") : t("chat.agent")}, {dates.dateTime(message.createdAt)}</span>
      {isUser ? <UserMessage {...props} /> : <Reply {...props} />}
    </li>
  );
});

function UserMessage({ message, isWaiting, actions }: RowProps) {
  const { t } = useTexts();
  return (
    <>
      <div className="bubble" dir="auto">{message.content}</div>
      {message.unsent && isWaiting && <p className="message-note">{t("chat.waiting")}</p>}
      {message.unsent === "sending" && !isWaiting && <p className="message-note late">{t("chat.sending")}</p>}
      {message.unsent === "failed" && !isWaiting && (
        <p className="message-note failed" role="alert">
          {t("chat.notSent")} <Button small icon="retry" onClick={actions.retry}>{t("action.retry")}</Button>
        </p>
      )}
      {!message.unsent && (
        <div className="message-tools">
          <IconButton small icon="edit" label={t("chat.editMessage")} onClick={() => actions.edit(message.content)} />
          <CopyButton text={message.content} label="chat.copyMessage" />
        </div>
      )}
    </>
  );
}

function Reply({ message, isLast, isQueued, actions }: RowProps) {
  const { t } = useTexts();
  const { status, content } = message;
  const own = new Set(message.toolCalls.map((call) => call.id));
  // Those of calls of an earlier reply, which the user has approved.
  const approved = message.changes.filter((c) => !c.toolCall || !own.has(c.toolCall.id));
  const open = message.changes.filter((c) => !c.undone);
  return (
    <>
      {approved.length > 0 && <div className="call"><Changes changes={approved} undo={actions.undo} /></div>}
      {segments(content, message.toolCalls).map(({ text, calls }, i) => (
        <div key={i} className="segment">
          {text.trim() && <Markdown text={text} />}
          {calls.map((call) => <Call key={call.id} call={call} changes={changesOf(message.changes, call)} isLast={isLast} actions={actions} />)}
        </div>
      ))}
      <Questions calls={message.toolCalls} isLast={isLast} actions={actions} />
      {status === "PENDING" && !isQueued && <Thinking />}
      {status === "STREAMING" && !content && message.toolCalls.length === 0 && <Thinking />}
      {status === "PENDING" && isQueued && (
        <p className="message-note">
          {t("chat.queued")} <Button small variant="quiet" onClick={() => actions.cancel(message.id)}>{t("chat.withdraw")}</Button>
        </p>
      )}
      {status === "CANCELLED" && <p className="message-note">{t("chat.cancelled")} {isLast && <Retry actions={actions} />}</p>}
      {status === "FAILED" && (
        <p className="message-note failed">{t("chat.failed", { reason: message.error?.message ?? "" })} {isLast && <Retry actions={actions} />}</p>
      )}
      {message.truncated && <p className="message-note">{t("chat.truncated")}</p>}
      {(status === "COMPLETED" || status === "CANCELLED" || status === "FAILED") && (
        <div className="message-tools">
          {content && <CopyButton text={content} label="chat.copyMessage" />}
          {open.length > 1 && <Button small variant="quiet" icon="undo" onClick={() => actions.undo(message.id)}>{t("change.undoAll")}</Button>}
        </div>
      )}
    </>
  );
}

const Retry = ({ actions }: { actions: MessageActions }) => {
  const { t } = useTexts();
  return <Button small icon="retry" onClick={actions.retry}>{t("action.retry")}</Button>;
};

function Thinking() {
  const { t } = useTexts();
  return <p className="thinking" aria-label={t("chat.thinking")} role="img"><span /><span /><span /></p>;
}

const changesOf = (changes: readonly ChatChange[], call: ToolCall) => changes.filter((c) => c.toolCall?.id === call.id);

/** Splits a reply into pieces of text, each with the calls that were made at its end. */
export function segments(content: string, calls: readonly ToolCall[]): { text: string; calls: ToolCall[] }[] {
  const offsets = [...new Set(calls.map((c) => Math.min(c.offset, content.length)))].sort((a, b) => a - b);
  const result: { text: string; calls: ToolCall[] }[] = [];
  let from = 0;
  for (const offset of offsets) {
    result.push({ text: content.slice(from, offset), calls: calls.filter((c) => Math.min(c.offset, content.length) === offset) });
    from = offset;
  }
  result.push({ text: content.slice(from), calls: [] });
  return result;
}
