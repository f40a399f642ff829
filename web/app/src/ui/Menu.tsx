import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { IconButton } from "./Button";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  text: string;
  icon: IconName;
  danger?: boolean;
  act(): void;
}

/** A button that opens a menu of actions. Arrow keys move, Escape closes. */
export function Menu({ label, items, icon = "more", small = true }: { label: string; items: readonly MenuItem[]; icon?: IconName; small?: boolean }) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const close = (focus = true) => {
    setOpen(false);
    if (focus) anchor.current?.querySelector("button")?.focus();
  };

  // The menu is fixed, so that no scrolling list cuts it off.
  useLayoutEffect(() => {
    if (!open) return;
    const button = anchor.current!.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height, style } = menu.current!;
    const rtl = getComputedStyle(anchor.current!).direction === "rtl";
    const left = rtl ? button.left : button.right - width;
    style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    style.top = `${button.bottom + height + 8 > innerHeight ? Math.max(8, button.top - height - 4) : button.bottom + 4}px`;
    menu.current!.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!(event.target instanceof Node) || !anchor.current?.contains(event.target)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    addEventListener("scroll", outside, true);
    addEventListener("resize", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("scroll", outside, true);
      removeEventListener("resize", outside);
    };
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...menu.current!.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      all[next % all.length]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.stopPropagation();
      close(event.key === "Escape");
    }
  };

  return (
    <span ref={anchor} className="menu-anchor">
      <IconButton label={label} icon={icon} small={small} aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)} />
      {open && (
        <div ref={menu} role="menu" aria-label={label} className="menu" onKeyDown={onKeyDown}>
          {items.map(({ text, icon: name, danger, act }) => (
            <button key={text} type="button" role="menuitem" tabIndex={-1} className={danger ? "danger" : ""} onClick={() => (close(), act())}>
              <Icon name={name} />
              {text}
            </button>
          ))}
        </div>
      )}
    </span>
  );
}
