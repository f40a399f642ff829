import { useErrand, useTasks, type TaskFilter } from "@errand/react";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { href } from "../router";
import { useShortcuts } from "../shell/shortcuts";
import { ViewHeader } from "../shell/ViewHeader";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Filters, type Chosen } from "./Filters";
import { useLastTasks } from "./lastTasks";
import { listNames, listOf, queryOf, type ListName } from "./lists";
import { TaskCountsDocument, type TaskCountsQuery } from "./operations";
import { QuickAdd } from "./QuickAdd";
import { TaskList } from "./TaskList";
import { useToday } from "./today";
import "./tasks.css";

/** The tasks as a view of their own. `list` names the list that is shown. */
export function TasksView({ list }: { list: string | null }) {
  const { t } = useTexts();
  const name = listOf(list);
  const today = useToday();
  const [chosen, setChosen] = useState<Chosen>({ search: "", label: null, priority: null });
  const [isFiltering, setFiltering] = useState(false);
  const [selection, setSelection] = useState<ReadonlySet<string> | null>(null);
  useEffect(() => setSelection(null), [name]);
  const search = useDeferredValue(chosen.search.trim());
  const query = useMemo(() => queryOf(name, today), [name, today]);
  const filter: TaskFilter = {
    ...query.filter,
    ...(search && { search }),
    ...(chosen.label && { label: chosen.label }),
    ...(chosen.priority && { priority: [chosen.priority] }),
  };
  const isFiltered = search !== "" || chosen.label !== null || chosen.priority !== null;
  const tasks = useTasks(filter, { orderBy: query.orderBy });
  useLastTasks(tasks.tasks, tasks.status === "ready" && name === "all" && !isFiltered);
  const counts = useCounts(tasks.tasks);
  useShortcuts([{ key: "f", text: "shortcut.filter", act: () => setFiltering(true) }]);
  return (
    <>
      <ViewHeader title={t("nav.tasks")}>
        <IconButton label={t("tasks.filter")} icon="filter" aria-pressed={isFiltering || isFiltered} onClick={() => setFiltering(!isFiltering)} />
        <IconButton label={t("tasks.select")} icon="check" aria-pressed={selection !== null} onClick={() => setSelection(selection ? null : new Set())} />
      </ViewHeader>
      <div className="tasks-view">
        <nav className="task-tabs" aria-label={t("tasks.lists")}>
          {listNames.map((other) => (
            <a key={other} href={href({ view: "tasks", list: other })} aria-current={other === name ? "page" : undefined}>
              {t(`tasks.list.${other}`)}
              <Count list={other} counts={counts} />
            </a>
          ))}
        </nav>
        {(isFiltering || isFiltered) && <Filters chosen={chosen} choose={setChosen} />}
        {name !== "trash" && name !== "completed" && <QuickAdd create={(task) => void tasks.create(task)} />}
        <TaskList name={name} label={t(`tasks.list.${name}`)} tasks={tasks} isFiltered={isFiltered} selection={selection} setSelection={setSelection} />
      </div>
    </>
  );
}

function Count({ list, counts }: { list: ListName; counts: TaskCountsQuery["taskCounts"] | null }) {
  const { t } = useTexts();
  if (!counts) return null;
  if (list === "today" && counts.overdue > 0) {
    return <span className="task-count overdue"><Icon name="clock" /><span className="visually-hidden">{t("group.overdue")}: </span>{counts.overdue}</span>;
  }
  const count = { all: counts.pending, completed: counts.completed, trash: counts.trashed, today: 0, upcoming: 0 }[list];
  return count > 0 ? <span className="task-count">{count}</span> : null;
}

/** The numbers of tasks, read again a moment after each change of the tasks. */
function useCounts(tasks: unknown): TaskCountsQuery["taskCounts"] | null {
  const errand = useErrand();
  const [counts, setCounts] = useState<TaskCountsQuery["taskCounts"] | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => errand.query(TaskCountsDocument, {}).then((data) => setCounts(data.taskCounts), () => {}), 300);
    return () => clearTimeout(timer);
  }, [errand, tasks]);
  return counts;
}
