import { useEffect, useRef } from "react";
import type { TextKey } from "../texts";

/** A key, with the text that describes it in the list of shortcuts. */
export interface Shortcut {
  /** As in KeyboardEvent.key; a single letter is compared without case. */
  key: string;
  text: TextKey;
  /** Whether it also works while a field has the focus. */
  inFields?: boolean;
  /** Returns false if the key has no meaning now, so that another view may use it. */
  act(): void | false;
}

const active = new Set<{ current: readonly Shortcut[] }>();

/** Adds shortcuts while the component is mounted. The last one that was mounted wins. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const ref = useRef(shortcuts);
  useEffect(() => {
    ref.current = shortcuts;
  });
  useEffect(() => {
    active.add(ref);
    return () => void active.delete(ref);
  }, []);
}

/** All shortcuts that work now, without repetitions. */
export function activeShortcuts(): readonly Shortcut[] {
  const byKey = new Map<string, Shortcut>();
  for (const { current } of active) for (const shortcut of current) byKey.set(shortcut.key + shortcut.text, shortcut);
  return [...byKey.values()];
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : null;
  const inField = target?.closest("input, textarea, select, [contenteditable]") != null;
  // A dialog and a menu have keys of their own.
  if (target?.closest("[role=menu]") || document.querySelector("dialog[open]")) return;
  for (const { current } of [...active].reverse()) {
    for (const shortcut of current) {
      if (shortcut.key.toLowerCase() !== event.key.toLowerCase() || (inField && !shortcut.inFields)) continue;
      if (shortcut.act() === false) continue;
      event.preventDefault();
      return;
    }
  }
});
