import { useEffect, useLayoutEffect, useRef, useState, type FormEvent, type KeyboardEvent, type Ref, useImperativeHandle } from "react";
import { useServer } from "../shell/server";
import { useShortcuts } from "../shell/shortcuts";
import { load, save } from "../store";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { useToastsAbove } from "../ui/useToastsAbove";
import { ModelNote } from "./ModelNote";
import "./composer.css";

/** What others may do with the composer. */
export interface ComposerHandle {
  /** Puts a text into the field, to be edited. */
  put(text: string): void;
}

interface ComposerProps {
  conversationId: string | null;
  /** Whether a reply is being written. */
  isBusy: boolean;
  send(text: string): void;
  stop(): void;
  /** The user's last message; undefined without one. */
  lastText(): string | undefined;
  undoLast(): void | false;
  ref: Ref<ComposerHandle>;
}

const draftOf = (conversationId: string | null) => `user:draft:${conversationId ?? "new"}`;

/** Moves the draft of a new conversation to the conversation, which has its id now. */
export function adoptDraft(conversationId: string): void {
  save(draftOf(conversationId), load(draftOf(null)));
  save(draftOf(null), null);
}

/** The field for messages. Its text is kept for each conversation until it is sent. */
export function Composer({ conversationId, isBusy, send, stop, lastText, undoLast, ref }: ComposerProps) {
  const { t } = useTexts();
  const limit = useServer().server?.limits?.messageLength ?? 8_000;
  const draft = draftOf(conversationId);
  const [text, setText] = useState(() => load<string>(draft) ?? "");
  const [shown, setShown] = useState(draft);
  const field = useRef<HTMLTextAreaElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useToastsAbove(form);
  if (shown !== draft) {
    setShown(draft);
    setText(load<string>(draft) ?? "");
  }
  const change = (value: string) => {
    setText(value);
    save(draft, value || null);
  };
  const put = (value: string) => {
    change(value);
    field.current?.focus();
    requestAnimationFrame(() => field.current?.setSelectionRange(value.length, value.length));
  };
  useImperativeHandle(ref, () => ({ put }));

  // A touch keyboard would cover the conversation.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [draft]);
  useLayoutEffect(() => {
    const area = field.current!;
    area.style.blockSize = "auto";
    area.style.blockSize = `${area.scrollHeight + 2}px`;
  }, [text]);
  useShortcuts([
    { key: "c", text: "shortcut.compose", act: () => field.current?.focus() },
    { key: "Escape", text: "shortcut.stop", inFields: true, act: () => (isBusy ? stop() : false) },
    { key: "u", text: "shortcut.undo", act: undoLast },
    // These belong to the field; they are here for the list.
    { key: "Enter", text: "shortcut.send", act: () => false },
    { key: "ArrowUp", text: "shortcut.edit", act: () => false },
  ]);

  // Characters are counted as the server does.
  const over = text.length <= limit ? 0 : [...text.trim()].length - limit;
  const canSend = text.trim() !== "" && over <= 0;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!canSend) return;
    change("");
    send(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      // On a phone, Enter is the only way to a new line.
      if (matchMedia("(pointer: coarse)").matches) return;
      submit(event);
    }
    if (event.key === "ArrowUp" && text === "") {
      const last = lastText();
      if (!last) return;
      event.preventDefault();
      put(last);
    }
  };
  return (
    <form ref={form} className="composer" onSubmit={submit}>
      <div className="composer-field">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          value={text}
          aria-label={t("chat.compose")}
          placeholder={t("chat.placeholder")}
          enterKeyHint="enter"
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {isBusy && <IconButton label={t("chat.stop")} icon="stop" variant="plain" onClick={stop} />}
        <IconButton type="submit" label={t("chat.send")} icon="arrowUp" variant="primary" disabled={!canSend} />
      </div>
      <p className="composer-note">{over > 0 ? <span role="alert" className="too-long">{t("chat.tooLong", { over })}</span> : <ModelNote />}</p>
    </form>
  );
}
