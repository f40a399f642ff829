import type { ReactNode } from "react";
import { DrawerButton } from "./drawer";

/** The line at the top of a view: its title and its actions. */
export function ViewHeader({ title, note, children }: { title: ReactNode; note?: ReactNode; children?: ReactNode }) {
  return (
    <header className="view-header">
      <DrawerButton />
      <div className="view-title">
        <h1 dir="auto">{title}</h1>
        {note}
      </div>
      <div className="view-actions">{children}</div>
    </header>
  );
}
