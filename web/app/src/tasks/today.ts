import { useSyncExternalStore } from "react";
import { useDates } from "../shell/server";
import { useValue, Value } from "../store";

const clock = new Value(Date.now());
setInterval(() => clock.set(Date.now()), 30_000);

/** The present time, renewed every half minute. */
export const useNow = (): number => useValue(clock);

/** The present day, `YYYY-MM-DD` in the time zone of the account. The component renders again when it changes. */
export function useToday(): string {
  const dates = useDates();
  return useSyncExternalStore(clock.subscribe, () => dates.dayOf(new Date(clock.get())));
}
