import { useErrand, type NewTask } from "@errand/react";
import { useCallback, useEffect, useState } from "react";
import { ParseTaskDocument, type ParseTaskQuery } from "./operations";

export type ParsedTask = ParseTaskQuery["parseTask"];
export type Span = ParsedTask["spans"][number];

/** Time without a key press after which a text is sent to be parsed. */
const PAUSE_MS = 150;

/**
 * What the server recognizes in a text: `parsed`, a moment after the last change of it, null while that is not known; and
 * `parse`, which waits for it, null if the server cannot be reached.
 */
export function useParsed(text: string): { parsed: ParsedTask | null; parse(): Promise<ParsedTask | null> } {
  const errand = useErrand();
  const [parsed, setParsed] = useState<{ text: string; task: ParsedTask } | null>(null);
  useEffect(() => {
    if (!text.trim()) return setParsed(null);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      errand.query(ParseTaskDocument, { text }, { signal: abort.signal }).then(
        (data) => setParsed({ text, task: data.parseTask }),
        () => {},
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [errand, text]);
  const known = parsed?.text === text ? parsed.task : null;
  const parse = useCallback(
    async () => known ?? errand.query(ParseTaskDocument, { text }).then((data) => data.parseTask, () => null),
    [errand, text, known],
  );
  return { parsed: known, parse };
}

/** Identifies a part whatever stands around it. */
export const spanKey = (span: Span): string => `${span.kind}:${span.text}`;

/**
 * The task that a text describes, without the parts that the user does not want to be recognized: those stay in the title.
 * The pieces of a due date belong together.
 */
export function taskOf(text: string, parsed: ParsedTask, ignored: ReadonlySet<string>): NewTask {
  const isIgnored = (span: Span) => ignored.has(spanKey(span));
  const dropped = parsed.spans.filter(isIgnored);
  const noDue = dropped.some((s) => s.kind === "DUE");
  const taken = parsed.spans.filter((s) => s.kind !== "UNCERTAIN" && !isIgnored(s) && !(noDue && s.kind === "DUE"));
  const labels = parsed.labels.filter((l) => !dropped.some((s) => s.kind === "LABEL" && s.text.replace(/^#/, "").toLowerCase() === l.toLowerCase()));
  return {
    title: dropped.length === 0 ? parsed.title : without(text, taken),
    ...(!dropped.some((s) => s.kind === "DESCRIPTION") && parsed.description && { description: parsed.description }),
    ...(!dropped.some((s) => s.kind === "PRIORITY") && parsed.priority !== "NONE" && { priority: parsed.priority }),
    ...(!noDue && parsed.dueOn && { dueOn: parsed.dueOn }),
    ...(!noDue && parsed.dueAt && { dueAt: parsed.dueAt }),
    ...(labels.length > 0 && { labels }),
  };
}

/** A text without some of its parts. */
function without(text: string, spans: readonly Span[]): string {
  let rest = text;
  for (const { start, end } of [...spans].sort((a, b) => b.start - a.start)) rest = rest.slice(0, start) + rest.slice(end);
  return rest.replace(/\s+/g, " ").trim();
}
