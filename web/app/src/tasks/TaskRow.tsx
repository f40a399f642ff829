import type { ListTask } from "@errand/react";
import { memo, useState, type KeyboardEvent } from "react";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu, type MenuItem } from "../ui/Menu";
import { useTaskText } from "./values";

/** What a row can do with its task. */
export interface TaskActions {
  complete(task: ListTask): void;
  reopen(task: ListTask): void;
  remove(task: ListTask): void;
  restore(task: ListTask): void;
  rename(task: ListTask, title: string): void;
  /** Sets the due date to today or tomorrow. */
  due(task: ListTask, day: "today" | "tomorrow"): void;
  open(task: ListTask): void;
  select(task: ListTask): void;
}

interface TaskRowProps {
  task: ListTask;
  /** Its line in the list, and the offset of that. */
  line: number;
  top: string;
  /** Its place among all tasks that are loaded. */
  position: number;
  count: number;
  isOverdue: boolean;
  isLit: boolean;
  /** Undefined unless tasks are being selected. */
  isSelected: boolean | undefined;
  actions: TaskActions;
}

/** A task of a list. It renders again only when something of it changes. */
export const TaskRow = memo(function TaskRow({ task, line, top, position, count, isOverdue, isLit, isSelected, actions }: TaskRowProps) {
  const { t } = useTexts();
  const text = useTaskText();
  const [draft, setDraft] = useState<string | null>(null);
  const due = text.due(task.dueOn, task.dueAt);
  const hasMeta = due !== "" || task.priority !== "NONE" || task.labels.length > 0;
  const trashed = task.deletedAt !== null;
  const finish = () => {
    const title = draft?.trim();
    if (title && title !== task.title) actions.rename(task, title);
    setDraft(null);
  };
  const onTitleKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") setDraft(null);
  };
  const onRowKey = (event: KeyboardEvent) => {
    if (draft !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { x: () => actions.select(task), Delete: () => actions.remove(task), F2: () => setDraft(task.title) }[event.key];
    if (!act || (trashed && event.key !== "x")) return;
    event.preventDefault();
    act();
  };
  const items: MenuItem[] = trashed
    ? [{ text: t("task.restore"), icon: "undo", act: () => actions.restore(task) }]
    : [
        { text: t("task.details"), icon: "edit", act: () => actions.open(task) },
        { text: t("task.dueToday"), icon: "calendar", act: () => actions.due(task, "today") },
        { text: t("task.dueTomorrow"), icon: "calendar", act: () => actions.due(task, "tomorrow") },
        { text: t("task.select"), icon: "check", act: () => actions.select(task) },
        { text: t("task.delete"), icon: "trash", danger: true, act: () => actions.remove(task) },
      ];
  const state = [isLit && "lit", task.completed && "completed", isSelected && "selected", task.unsaved && "unsaved"].filter(Boolean).join(" ");
  return (
    <li
      className={`task-row ${state}`}
      style={{ insetBlockStart: top }}
      data-row=""
      data-line={line}
      aria-posinset={position}
      aria-setsize={count}
      onKeyDown={onRowKey}
    >
      {isSelected !== undefined ? (
        <label className="task-check">
          <input type="checkbox" checked={isSelected} aria-label={t("task.selectOne", { title: task.title })} onChange={() => actions.select(task)} />
        </label>
      ) : trashed ? (
        <IconButton small className="task-check" icon="undo" label={t("task.restoreOne", { title: task.title })} onClick={() => actions.restore(task)} />
      ) : (
        <button
          type="button"
          role="checkbox"
          className={`task-check circle priority-${task.priority.toLowerCase()}`}
          aria-checked={task.completed}
          aria-label={t("task.completeOne", { title: task.title })}
          onClick={() => (task.completed ? actions.reopen(task) : actions.complete(task))}
        >
          <Icon name="check" />
        </button>
      )}
      <div className="task-body">
        {draft !== null ? (
          <input
            value={draft}
            maxLength={200}
            dir="auto"
            autoFocus
            aria-label={t("field.title")}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={onTitleKey}
            onBlur={finish}
          />
        ) : (
          <button type="button" className="task-title" dir="auto" data-move="" title={task.title} disabled={trashed} onClick={() => setDraft(task.title)}>
            {task.title}
          </button>
        )}
        {hasMeta && (
          <div className="task-meta">
            {due && (
              <button type="button" className={`task-due ${isOverdue ? "overdue" : ""}`} disabled={trashed} onClick={() => actions.open(task)}>
                <Icon name="calendar" />
                <span>{isOverdue && <span className="visually-hidden">{t("group.overdue")}: </span>}{due}</span>
              </button>
            )}
            {task.priority !== "NONE" && <span className={`task-priority priority-${task.priority.toLowerCase()}`}><Icon name="flag" /><span>{text.priority(task.priority)}</span></span>}
            {task.labels.map((label) => <bdi key={label} className="task-label" title={label}>{label}</bdi>)}
            {task.labels.length > 1 && (
              <span className="task-more" title={task.labels.slice(1).join(", ")}>
                <span aria-hidden="true">+{task.labels.length - 1}</span>
                <span className="visually-hidden">{task.labels.slice(1).join(", ")}</span>
              </span>
            )}
          </div>
        )}
      </div>
      <span className="task-number" aria-hidden="true">{task.number > 0 ? task.number : ""}</span>
      <Menu label={t("task.actions", { title: task.title })} items={items} />
    </li>
  );
});
