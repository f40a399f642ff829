import type { NewTask } from "@errand/react";
import { useRef, useState, type FormEvent } from "react";
import { useServer } from "../shell/server";
import { useShortcuts } from "../shell/shortcuts";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { spanKey, taskOf, useParsed, type Span } from "./parse";
import { useTaskText } from "./values";

const icons: Record<Span["kind"], IconName> = {
  DUE: "calendar",
  LABEL: "tag",
  PRIORITY: "flag",
  DESCRIPTION: "edit",
  UNCERTAIN: "warning",
};

/** A field that adds a task, and shows what it recognizes before it is added. */
export function QuickAdd({ create }: { create(task: NewTask): void }) {
  const { t } = useTexts();
  const limit = useServer().server?.limits?.taskTitleLength ?? 200;
  const [text, setText] = useState("");
  const [ignored, setIgnored] = useState<ReadonlySet<string>>(new Set());
  const field = useRef<HTMLInputElement>(null);
  const { parsed, parse } = useParsed(text);
  useShortcuts([{ key: "a", text: "shortcut.quickAdd", act: () => field.current?.focus() }]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const entered = text;
    if (!entered.trim()) return;
    setText("");
    setIgnored(new Set());
    // A quick hand is faster than the preview: what it would have shown is what is added.
    const task = await parse();
    const added: NewTask = task ? taskOf(entered, task, ignored) : { title: entered.trim() };
    if (!added.title || added.title.length > limit) return setText(entered);
    create(added);
  };
  const shown = parsed?.spans ?? [];
  const title = parsed ? taskOf(text, parsed, ignored).title : "";
  const over = title.length - limit;
  return (
    <form className="quick-add" onSubmit={(event) => void submit(event)}>
      <div className="quick-field">
        <Icon name="plus" />
        <input
          ref={field}
          value={text}
          dir="auto"
          maxLength={8_000}
          aria-label={t("tasks.quickAdd")}
          placeholder={t("tasks.quickPlaceholder")}
          enterKeyHint="done"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && (text ? setText("") : field.current?.blur())}
        />
        {text.trim() && <IconButton type="submit" variant="primary" small label={t("tasks.add")} icon="arrowUp" />}
      </div>
      {over > 0 && <p className="notice">{t("chat.tooLong", { over })}</p>}
      {shown.length > 0 && (
        <ul className="spans" aria-label={t("tasks.recognized")}>
          {shown.map((span) => (
            <Chip key={span.start} span={span} isIgnored={ignored.has(spanKey(span))} toggle={() => setIgnored(toggled(ignored, spanKey(span)))} task={parsed!} />
          ))}
        </ul>
      )}
    </form>
  );
}

function Chip({ span, task, isIgnored, toggle }: { span: Span; task: { dueOn: string | null; dueAt: string | null; priority: string }; isIgnored: boolean; toggle(): void }) {
  const { t } = useTexts();
  const text = useTaskText();
  const value =
    span.kind === "DUE" ? text.due(task.dueOn, task.dueAt) || span.text
    : span.kind === "PRIORITY" ? text.priority(task.priority)
    : span.kind === "UNCERTAIN" ? t("tasks.uncertain", { text: span.text })
    : span.text;
  return (
    <li className={`chip span-${span.kind.toLowerCase()} ${isIgnored ? "ignored" : ""}`}>
      <Icon name={icons[span.kind]} />
      <bdi>{value}</bdi>
      {span.kind !== "UNCERTAIN" && (
        <IconButton small label={t(isIgnored ? "tasks.recognize" : "tasks.ignore", { text: span.text })} icon={isIgnored ? "undo" : "close"} onClick={toggle} />
      )}
    </li>
  );
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const changed = new Set(set);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
