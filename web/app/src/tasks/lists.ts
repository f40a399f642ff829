import type { ListTask, TaskFilter, TaskOrder } from "@errand/react";
import type { DateFormat } from "../texts/format";

/** The lists of tasks, by the name that their route has. */
export const listNames = ["all", "today", "upcoming", "completed", "trash"] as const;
export type ListName = (typeof listNames)[number];

/** The list that a route names; open tasks if it names none. */
export const listOf = (name: string | null): ListName => listNames.find((l) => l === name) ?? "all";

const byDue: TaskOrder = { field: "DUE", direction: "ASC" };
const byChange: TaskOrder = { field: "UPDATED_AT", direction: "DESC" };

/** The query of a list on a day, `YYYY-MM-DD`. */
export function queryOf(list: ListName, today: string): { filter: TaskFilter; orderBy: TaskOrder } {
  switch (list) {
    case "all":
      return { filter: { status: "PENDING" }, orderBy: byDue };
    case "today":
      return { filter: { status: "PENDING", dueTo: today }, orderBy: byDue };
    case "upcoming":
      return { filter: { status: "PENDING", dueFrom: dayAfter(today, 1) }, orderBy: byDue };
    case "completed":
      return { filter: { status: "COMPLETED" }, orderBy: byChange };
    case "trash":
      return { filter: { status: "ALL", trashed: true }, orderBy: byChange };
  }
}

/** The day that is a number of days after another. */
export function dayAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** Headings of the groups by due date. */
export type Group = "overdue" | "today" | "tomorrow" | "week" | "later" | "none";

/** Whether a task is overdue at an instant on a day. */
export function isOverdue(task: ListTask, today: string, now: number): boolean {
  if (task.completed) return false;
  return task.dueAt ? Date.parse(task.dueAt) < now : task.dueOn !== null && task.dueOn < today;
}

export function groupOf(task: ListTask, dates: DateFormat, today: string, now: number): Group {
  if (isOverdue(task, today, now)) return "overdue";
  const day = task.dueOn ?? (task.dueAt && dates.dayOf(task.dueAt));
  if (!day) return "none";
  if (day <= today) return "today";
  if (day === dayAfter(today, 1)) return "tomorrow";
  return day <= dayAfter(today, 7) ? "week" : "later";
}

/** A line of a list: the heading of a group, or a task. */
export type Line = { heading: Group } | { task: ListTask; position: number };

/** The lines of a list; with headings if it is ordered by due date. */
export function linesOf(tasks: readonly ListTask[], list: ListName, dates: DateFormat, today: string, now: number): Line[] {
  const grouped = list === "all" || list === "today" || list === "upcoming";
  const lines: Line[] = [];
  let last: Group | undefined;
  tasks.forEach((task, index) => {
    const group = grouped ? groupOf(task, dates, today, now) : undefined;
    if (group && group !== last) lines.push({ heading: group });
    last = group;
    lines.push({ task, position: index + 1 });
  });
  return lines;
}
