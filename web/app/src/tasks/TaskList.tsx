import type { ListTask, Tasks } from "@errand/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { toast, useErrorToast } from "../ui/toasts";
import { BulkBar } from "./BulkBar";
import { dayAfter, isOverdue, linesOf, type ListName } from "./lists";
import { useLit } from "./lit";
import { TaskDialog } from "./TaskDialog";
import { TaskRow, type TaskActions } from "./TaskRow";
import { useNow, useToday } from "./today";
import { VirtualList } from "./VirtualList";
import "./tasks.css";

/** Heights of lines in rem; tasks.css has the same. */
const HEADING = 2.5;
const ROW = 3.5;

/** Tasks that are loaded at once, at first and at most: more for those who scroll faster than the tasks arrive. */
const STEP = 100;
const LARGEST_STEP = 1_600;

interface TaskListProps {
  name: ListName;
  label: string;
  tasks: Tasks;
  /** Whether a filter or a search is set. */
  isFiltered?: boolean;
  /** Ids of the selected tasks; null unless tasks are being selected. */
  selection: ReadonlySet<string> | null;
  setSelection(selection: ReadonlySet<string> | null): void;
}

/** A list of tasks with its actions. */
export function TaskList({ name, label, tasks: list, isFiltered = false, selection, setSelection }: TaskListProps) {
  const { t } = useTexts();
  const dates = useDates();
  const now = useNow();
  const today = useToday();
  const { tasks, status, error, hasMore, loadMore } = list;
  const { lit, own } = useLit(tasks, status === "ready");
  const [opened, setOpened] = useState<ListTask | null>(null);
  const lines = useMemo(() => linesOf(tasks, name, dates, today, now), [tasks, name, dates, today, now]);
  const heights = useMemo(() => lines.map((line) => ("heading" in line ? HEADING : ROW)), [lines]);
  useErrorToast(status === "error" ? undefined : error?.message);

  const actions = useActions({ list, own, today, selection, setSelection, open: setOpened });
  const step = useRef(STEP);
  const nearEnd = useCallback(
    (isReached: boolean) => {
      if (!hasMore) return;
      step.current = isReached ? Math.min(LARGEST_STEP, step.current * 2) : STEP;
      void loadMore(step.current);
    },
    [hasMore, loadMore],
  );
  const selected = selection ? tasks.filter((task) => selection.has(task.id)).map((task) => task.id) : [];
  return (
    <>
      {status === "error" && (
        <p className="notice" role="alert">
          {t("tasks.loadFailed", { reason: error?.message ?? "" })} <Button small onClick={() => void list.refresh()}>{t("action.retry")}</Button>
        </p>
      )}
      {status === "ready" && lines.length === 0 && !hasMore && (
        <div className="empty">
          <Icon name={name === "trash" ? "trash" : "tasks"} />
          <p>{t(isFiltered ? "tasks.noMatch" : `tasks.empty.${name}`)}</p>
        </div>
      )}
      <VirtualList label={label} heights={heights} nearEnd={nearEnd}>
        {(index, top) => {
          const line = lines[index]!;
          if ("heading" in line) {
            return <li key={line.heading} className={`task-heading ${line.heading}`} style={{ insetBlockStart: top }} data-row=""><h2>{t(`group.${line.heading}`)}</h2></li>;
          }
          const { task, position } = line;
          return (
            <TaskRow
              key={task.id}
              task={task}
              line={index}
              top={top}
              position={position}
              count={hasMore ? -1 : tasks.length}
              isOverdue={isOverdue(task, today, now)}
              isLit={lit.has(task.id)}
              isSelected={selection ? selection.has(task.id) : undefined}
              actions={actions}
            />
          );
        }}
      </VirtualList>
      {selection && <BulkBar list={name} ids={selected} selectAll={() => setSelection(new Set(tasks.map((task) => task.id)))} close={() => setSelection(null)} />}
      {opened && <TaskDialog task={opened} save={(changes) => (own(opened.id), void list.update(opened.id, changes))} close={() => setOpened(null)} />}
    </>
  );
}

interface ActionContext {
  list: Tasks;
  own(id: string): void;
  today: string;
  selection: ReadonlySet<string> | null;
  setSelection(selection: ReadonlySet<string> | null): void;
  open(task: ListTask): void;
}

/** The actions of rows, as one object that never changes, so that rows render only for their own task. */
function useActions(context: ActionContext): TaskActions {
  const { t } = useTexts();
  const latest = useRef({ ...context, t });
  useEffect(() => {
    latest.current = { ...context, t };
  });
  return useMemo(() => {
    const current = () => latest.current;
    const undoable = (text: string, undo: () => void) => toast(text, { text: current().t("action.undo"), act: undo });
    const mine = (task: ListTask) => (current().own(task.id), current().list);
    return {
      complete: (task) => {
        void mine(task).complete(task.id);
        undoable(current().t("task.completedToast", { title: task.title }), () => void mine(task).reopen(task.id));
      },
      reopen: (task) => void mine(task).reopen(task.id),
      remove: (task) => {
        void mine(task).remove(task.id);
        undoable(current().t("task.deletedToast", { title: task.title }), () => void mine(task).restore(task.id));
      },
      restore: (task) => void mine(task).restore(task.id),
      rename: (task, title) => void mine(task).update(task.id, { title }),
      due: (task, day) => {
        const { today } = current();
        void mine(task).update(task.id, { dueOn: day === "today" ? today : dayAfter(today, 1) });
      },
      open: (task) => current().open(task),
      select: (task) => {
        const next = new Set(current().selection ?? []);
        if (!next.delete(task.id)) next.add(task.id);
        current().setSelection(next);
      },
    };
  }, []);
}
