import { useMemo } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { dayAfter } from "./lists";
import { useToday } from "./today";

export const priorities = ["NONE", "LOW", "MEDIUM", "HIGH", "URGENT"] as const;
export type Priority = (typeof priorities)[number];

/** Texts for the values of tasks. */
export function useTaskText() {
  const { t } = useTexts();
  const dates = useDates();
  const today = useToday();
  return useMemo(() => {
    const dayText = (day: string) =>
      day === today ? t("due.today") : day === dayAfter(today, 1) ? t("due.tomorrow") : day === dayAfter(today, -1) ? t("due.yesterday") : dates.day(day);
    return {
      /** Such as "Tomorrow, 5:00 PM"; empty without a due date. */
      due: (dueOn: string | null, dueAt: string | null) =>
        dueAt ? t("due.at", { day: dayText(dates.dayOf(dueAt)), time: dates.time(dueAt) }) : dueOn ? dayText(dueOn) : "",
      priority: (priority: string) => t(`priority.${priority as Priority}`),
    };
  }, [t, dates, today]);
}
