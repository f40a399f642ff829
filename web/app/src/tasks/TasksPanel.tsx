import { useTasks } from "@errand/react";
import { useState } from "react";
import { prefer } from "../preferences";
import { href } from "../router";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { useLastTasks } from "./lastTasks";
import { queryOf } from "./lists";
import { QuickAdd } from "./QuickAdd";
import { TaskList } from "./TaskList";
import { useToday } from "./today";

/** The open tasks beside a chat. */
export function TasksPanel() {
  const { t } = useTexts();
  const today = useToday();
  const { filter, orderBy } = queryOf("all", today);
  const tasks = useTasks(filter, { orderBy });
  useLastTasks(tasks.tasks, tasks.status === "ready");
  const [selection, setSelection] = useState<ReadonlySet<string> | null>(null);
  return (
    <>
      <header className="view-header">
        <div className="view-title"><h2><a href={href({ view: "tasks", list: null })}>{t("nav.tasks")}</a></h2></div>
        <IconButton label={t("tasks.hide")} icon="close" onClick={() => prefer({ tasksBeside: false })} />
      </header>
      <div className="tasks-view compact">
        <QuickAdd create={(task) => void tasks.create(task)} />
        <TaskList name="all" label={t("tasks.list.all")} tasks={tasks} selection={selection} setSelection={setSelection} />
      </div>
    </>
  );
}
