import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

/** Lines beyond the visible ones, at each end. */
const BEYOND = 12;
/** Lines after the visible ones that are loaded before they are needed. */
const AHEAD = 100;

interface VirtualListProps {
  label: string;
  /** Heights of the lines, in rem. */
  heights: readonly number[];
  /** Renders a line; `top` is its offset, for its style. */
  children(line: number, top: string): ReactNode;
  /** Called when the end comes near; `isReached` if it is visible. */
  nearEnd(isReached: boolean): void;
}

/** A scrolling list of lines of known height, of which only those near the visible part are in the document. */
export function VirtualList({ label, heights, children, nearEnd }: VirtualListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 40 });
  const tops = useMemo(() => {
    let sum = 0;
    return heights.map((h) => (sum += h) - h);
  }, [heights]);
  const total = (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0);

  const measure = useCallback(() => {
    const { scrollTop, clientHeight } = scroller.current!;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    setView({ top: scrollTop / rem, height: clientHeight / rem });
  }, []);
  useLayoutEffect(measure, [measure]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [measure]);

  const first = Math.max(0, lineAt(tops, view.top) - BEYOND);
  const last = Math.min(heights.length, lineAt(tops, view.top + view.height) + 1 + BEYOND);
  const isReached = last >= heights.length;
  const isNear = last + AHEAD >= heights.length;
  useEffect(() => {
    if (isNear) nearEnd(isReached);
  }, [isNear, isReached, heights.length, nearEnd]);

  /** Moves the focus to the same control of the next line that has it. */
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const from = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-line]") : null;
    if (!step || !from || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    const find = (line: number) => scroller.current?.querySelector<HTMLElement>(`[data-line="${line}"] [data-move]`);
    for (let line = Number(from.dataset["line"]) + step; line >= 0 && line < heights.length; line += step) {
      const target = find(line);
      if (!target) continue;
      target.focus();
      target.scrollIntoView({ block: "nearest" });
      return;
    }
  };

  return (
    <div ref={scroller} className="task-scroll" onScroll={measure} onKeyDown={onKeyDown}>
      <ul aria-label={label} style={{ blockSize: `${total}rem` }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, i) => children(first + i, `${tops[first + i]}rem`))}
      </ul>
    </div>
  );
}

/** The line at an offset. */
function lineAt(tops: readonly number[], offset: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}
