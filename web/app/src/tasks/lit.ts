import type { ListTask } from "@errand/react";
import { useEffect, useRef, useState } from "react";

const LIT_MS = 2_500;

/**
 * The tasks that have just been changed elsewhere: by the agent, in another tab or by another program. `own` notes a task
 * that this component changes itself.
 */
export function useLit(tasks: readonly ListTask[], isLoaded: boolean): { lit: ReadonlySet<string>; own(id: string): void } {
  const versions = useRef<Map<string, number> | null>(null);
  const mine = useRef(new Set<string>());
  const since = useRef(0);
  const [lit, setLit] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    if (!isLoaded) return;
    const known = versions.current;
    if (!known) since.current = Math.max(0, ...tasks.map((t) => Date.parse(t.updatedAt)));
    const stored = tasks.filter((t) => !t.unsaved);
    const changed = known
      ? stored.filter((t) => {
          const before = known.get(t.id);
          const isNew = before === undefined && Date.parse(t.updatedAt) > since.current && t.version === 1;
          return (isNew || (before !== undefined && before < t.version)) && !mine.current.delete(t.id);
        })
      : [];
    versions.current = known ?? new Map();
    for (const t of stored) versions.current.set(t.id, t.version);
    if (changed.length === 0) return;
    const ids = changed.map((t) => t.id);
    setLit((before) => new Set([...before, ...ids]));
    setTimeout(() => setLit((before) => new Set([...before].filter((id) => !ids.includes(id)))), LIT_MS);
  }, [tasks, isLoaded]);
  return { lit, own: (id) => void mine.current.add(id) };
}
