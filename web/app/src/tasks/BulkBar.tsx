import { useErrand } from "@errand/react";
import { useRef } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { messageOf, toast } from "../ui/toasts";
import { useToastsAbove } from "../ui/useToastsAbove";
import { dayAfter, type ListName } from "./lists";
import { ApplyTasksDocument, UndoTasksDocument, type TaskOperation } from "./operations";
import { priorities, useTaskText } from "./values";

/** Operations that one request may hold. */
const LARGEST = 50;

interface BulkBarProps {
  list: ListName;
  ids: readonly string[];
  selectAll(): void;
  close(): void;
}

/** Actions on all tasks that are selected. */
export function BulkBar({ list, ids, selectAll, close }: BulkBarProps) {
  const { t } = useTexts();
  const errand = useErrand();
  const dates = useDates();
  const text = useTaskText();
  const bar = useRef<HTMLDivElement>(null);
  useToastsAbove(bar);

  const apply = async (operation: (id: string) => TaskOperation) => {
    close();
    const batches: string[] = [];
    let done = 0;
    let failed = "";
    for (let i = 0; i < ids.length; i += LARGEST) {
      const operations = ids.slice(i, i + LARGEST).map(operation);
      try {
        const key = `${Date.now()}-${Math.random().toString(36).slice(2)}`;
        const { applyTasks } = await errand.mutate(ApplyTasksDocument, { operations, key }, { retry: true });
        if (applyTasks?.batchId) batches.push(applyTasks.batchId);
        for (const { error } of applyTasks?.results ?? []) {
          if (error) failed ||= error.message;
          else done++;
        }
      } catch (error) {
        failed ||= messageOf(error);
        break;
      }
    }
    if (failed) toast(t("bulk.failed", { reason: failed }));
    if (done > 0) toast(t("bulk.done", { count: done }), { text: t("action.undo"), act: () => void undo(batches) });
  };
  const undo = async (batches: readonly string[]) => {
    try {
      for (const id of [...batches].reverse()) await errand.mutate(UndoTasksDocument, { id }, { retry: true });
    } catch (error) {
      toast(t("bulk.failed", { reason: messageOf(error) }));
    }
  };

  const today = dates.dayOf(new Date());
  const isEmpty = ids.length === 0;
  return (
    <div ref={bar} className="bulk" role="toolbar" aria-label={t("bulk.label")}>
      <span aria-live="polite">{t("bulk.count", { count: ids.length })}</span>
      <Button small variant="quiet" onClick={selectAll}>{t("bulk.all")}</Button>
      {list === "trash" ? (
        <Button small icon="undo" disabled={isEmpty} onClick={() => void apply((id) => ({ restore: id }))}>{t("task.restore")}</Button>
      ) : (
        <>
          {list === "completed" ? (
            <Button small icon="retry" disabled={isEmpty} onClick={() => void apply((id) => ({ reopen: id }))}>{t("task.reopen")}</Button>
          ) : (
            <Button small icon="check" disabled={isEmpty} onClick={() => void apply((id) => ({ complete: id }))}>{t("task.complete")}</Button>
          )}
          <Button small icon="trash" disabled={isEmpty} onClick={() => void apply((id) => ({ delete: id }))}>{t("task.delete")}</Button>
          {!isEmpty && (
            <>
              <Menu
                label={t("bulk.due")}
                icon="calendar"
                items={[
                  { text: t("due.today"), icon: "calendar", act: () => void apply((id) => ({ update: { id, dueOn: today } })) },
                  { text: t("due.tomorrow"), icon: "calendar", act: () => void apply((id) => ({ update: { id, dueOn: dayAfter(today, 1) } })) },
                  { text: t("due.nextWeek"), icon: "calendar", act: () => void apply((id) => ({ update: { id, dueOn: dayAfter(today, 7) } })) },
                  { text: t("due.none"), icon: "close", act: () => void apply((id) => ({ update: { id, dueOn: null } })) },
                ]}
              />
              <Menu
                label={t("bulk.priority")}
                icon="flag"
                items={priorities.map((priority) => ({ text: text.priority(priority), icon: "flag" as const, act: () => void apply((id) => ({ update: { id, priority } })) }))}
              />
            </>
          )}
        </>
      )}
      <IconButton small label={t("action.close")} icon="close" onClick={close} />
    </div>
  );
}
