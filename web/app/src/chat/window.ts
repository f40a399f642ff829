import type { ChatMessage } from "@errand/react";

/** The positions of the messages that are in the document. Null is the open end: the newest, and what fits before it. */
export interface Window {
  start: number | null;
  end: number | null;
}

/** Messages that are shown at first, that are added at once, and that are in the document at most. */
export const FIRST = 40;
export const STEP = 40;
export const MOST = 120;

export const initialWindow: Window = { start: null, end: null };

/** The messages of a window, at most MOST. */
export function messagesIn(messages: readonly ChatMessage[], { start, end }: Window): readonly ChatMessage[] {
  if (end !== null) return messages.filter((m) => m.position <= end && m.position >= (start ?? end - MOST + 1)).slice(0, MOST);
  if (start === null) return messages.slice(-FIRST);
  return messages.filter((m) => m.position >= start).slice(-MOST);
}

/** Shows more messages at one end, and fewer at the other if there are too many. */
export function grow(messages: readonly ChatMessage[], window: Window, direction: "up" | "down"): Window {
  const shown = messagesIn(messages, window);
  const first = shown[0]?.position ?? 1;
  const last = shown.at(-1)?.position ?? 1;
  const newest = messages.at(-1)?.position ?? 1;
  if (direction === "up") {
    const start = Math.max(messages[0]?.position ?? 1, first - STEP);
    const end = start + MOST - 1;
    return { start, end: end >= last && window.end === null ? null : Math.min(last, end) };
  }
  const end = last + STEP;
  if (end >= newest) return { start: Math.max(first, newest - MOST + 1), end: null };
  return { start: Math.max(first, end - MOST + 1), end };
}
