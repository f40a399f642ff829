import { useEffect, useId, useRef, type ReactNode } from "react";
import { useTexts } from "../texts";
import { Button } from "./Button";

/** A modal dialog. It is open while it is rendered; Escape and a click beside it close it. */
export function Dialog({ title, close, children, actions }: { title: string; close(): void; children?: ReactNode; actions?: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => (event.preventDefault(), close())}
      onClick={(event) => event.target === ref.current && beside(event, ref.current) && close()}
    >
      <h2 id={heading}>{title}</h2>
      {children}
      {actions && <div className="dialog-actions">{actions}</div>}
    </dialog>
  );
}

function beside({ clientX: x, clientY: y }: { clientX: number; clientY: number }, dialog: HTMLElement): boolean {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

/** A dialog that asks before something that cannot be taken back. */
export function Confirm({ title, text, action, close, confirm }: { title: string; text: string; action: string; close(): void; confirm(): void }) {
  const { t } = useTexts();
  const actions = (
    <>
      <Button onClick={close} autoFocus>{t("action.cancel")}</Button>
      <Button variant="danger" onClick={() => (close(), confirm())}>{action}</Button>
    </>
  );
  return <Dialog title={title} close={close} actions={actions}><p>{text}</p></Dialog>;
}
