/** Paths in a square of 24, drawn with a stroke. */
const paths = {
  archive: "M4 8v11h16V8M3 4h18v4H3zM10 12h4",
  arrowDown: "M12 5v14M6 13l6 6 6-6",
  arrowUp: "M12 19V5M6 11l6-6 6 6",
  back: "M15 5l-7 7 7 7",
  calendar: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  chat: "M4 5h16v12H10l-5 4v-4H4z",
  check: "M5 12.5l5 5L19.5 7",
  chevron: "M9 5l7 7-7 7",
  clock: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l3.5 2",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  filter: "M4 6h16M7 12h10M10 18h4",
  flag: "M6 21V4M6 5h12l-2.5 4L18 13H6",
  gear: "M12 9a3 3 0 100 6 3 3 0 000-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1",
  key: "M15.5 3a5.500 5.500 0 100 11 5.500 5.500 0 000-11zM11.500 12.500L4 20M6.500 17.500l2.500 2.500M16 8h.01",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  panel: "M3 5h18v14H3zM15 5v14",
  plus: "M12 5v14M5 12h14",
  retry: "M20 11a8 8 0 10-2.3 6.3M20 5v6h-6",
  search: "M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20 20",
  shield: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
  signOut: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  stop: "M7 7h10v10H7z",
  tag: "M4 4h8l8 8-8 8-8-8zM8 8h.01",
  tasks: "M4 6l1.5 1.5L8 5M4 13l1.5 1.5L8 12M11 6.5h9M11 13.5h9M4 19.5h.01M11 19.5h9",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  undo: "M5 9h10a5 5 0 010 10h-4M9 5L5 9l4 4",
  user: "M12 4a4 4 0 100 8 4 4 0 000-8zM4.5 20c1-4 4-6 7.5-6s6.500 2 7.500 6",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
} as const;

export type IconName = keyof typeof paths;
/** Icons that point in the direction of the text. */
const mirrored = new Set<IconName>(["back", "chevron", "undo", "signOut", "panel"]);

/** A decorative icon: the element that contains it has the name. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon ${mirrored.has(name) ? "mirrored" : ""} ${name === "more" ? "dots" : name === "stop" ? "filled" : ""}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
