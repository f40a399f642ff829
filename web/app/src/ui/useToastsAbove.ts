import { useLayoutEffect, type RefObject } from "react";

const elements = new Set<HTMLElement>();
const property = "--toast-offset";
const GAP = 8;

function place(): void {
  const { style } = document.documentElement;
  if (elements.size === 0) return void style.removeProperty(property);
  const top = Math.min(...[...elements].map((element) => element.getBoundingClientRect().top));
  style.setProperty(property, `${Math.max(0, innerHeight - top) + GAP}px`);
}

/** Keeps toasts above an element at the lower end of the view, which they would cover. */
export function useToastsAbove(ref: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const element = ref.current!;
    elements.add(element);
    const observer = new ResizeObserver(place);
    observer.observe(element);
    observer.observe(document.documentElement);
    return () => {
      observer.disconnect();
      elements.delete(element);
      place();
    };
  }, [ref]);
}
