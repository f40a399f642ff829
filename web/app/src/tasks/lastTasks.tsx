import type { ListTask } from "@errand/react";
import { useEffect } from "react";
import { load, save } from "../store";
import { DateFormat } from "../texts/format";
import { useTexts } from "../texts";
import "./tasks.css";

const NAME = "user:last-tasks";
/** Tasks that are kept. */
const MOST = 200;

interface LastTasks {
  at: number;
  tasks: readonly Pick<ListTask, "id" | "title" | "dueOn" | "dueAt">[];
}

/** Keeps the open tasks in the browser, to be read while the server cannot be reached. */
export function useLastTasks(tasks: readonly ListTask[], isReady: boolean): void {
  useEffect(() => {
    if (!isReady) return;
    const kept = tasks.slice(0, MOST).map(({ id, title, dueOn, dueAt }) => ({ id, title, dueOn, dueAt }));
    const timer = setTimeout(() => save(NAME, { at: Date.now(), tasks: kept } satisfies LastTasks), 500);
    return () => clearTimeout(timer);
  }, [tasks, isReady]);
}

/** The open tasks as they were last seen, without a way to change them. */
export function LastTasks() {
  const { t, locale } = useTexts();
  const last = load<LastTasks>(NAME);
  if (!last || last.tasks.length === 0) return null;
  const dates = new DateFormat(locale);
  return (
    <section className="last-tasks" aria-label={t("tasks.list.all")}>
      <p className="hint">{t("tasks.last", { time: dates.dateTime(new Date(last.at)) })}</p>
      <ul>
        {last.tasks.map(({ id, title, dueOn, dueAt }) => (
          <li key={id} data-row="">
            <span dir="auto">{title}</span>
            {(dueOn || dueAt) && <span className="hint">{dueAt ? dates.dateTime(dueAt) : dates.day(dueOn!)}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
