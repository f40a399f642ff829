import { useEffect } from "react";
import { useValue, Value } from "../store";
import { useTexts } from "../texts";
import { Button, IconButton } from "./Button";

interface Toast {
  id: number;
  text: string;
  action?: { text: string; act(): void };
}

const toasts = new Value<readonly Toast[]>([]);
const spoken = new Value("");
let last = 0;

/** Shows a message for some seconds, with at most one action, such as Undo. Screen readers speak it. */
export function toast(text: string, action?: Toast["action"]): void {
  toasts.set([...toasts.get().slice(-2), { id: ++last, text, ...(action && { action }) }]);
}

/** Has screen readers speak a text once, without showing it. */
export function announce(text: string): void {
  // The same text twice is spoken twice only if it differs.
  spoken.set(spoken.get() === text ? `${text}\u00a0` : text);
}

/** Shows each new error once. */
export function useErrorToast(message: string | undefined): void {
  useEffect(() => {
    if (message) toast(message);
  }, [message]);
}

/** The text of a value that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Removes the toasts, and what screen readers were given to speak. */
export function clearToasts(): void {
  toasts.set([]);
  spoken.set("");
}

const dismiss = (id: number) => toasts.set(toasts.get().filter((t) => t.id !== id));
const SHOWN_MS = 8_000;

/** The toasts and the live regions; rendered once. */
export function Toasts() {
  const list = useValue(toasts);
  return (
    <>
      <div className="toasts" role="status">
        {list.map((t) => <ToastRow key={t.id} toast={t} />)}
      </div>
      <Announcer />
    </>
  );
}

function Announcer() {
  return <div className="visually-hidden" aria-live="polite" data-announcer="">{useValue(spoken)}</div>;
}

function ToastRow({ toast: { id, text, action } }: { toast: Toast }) {
  const { t } = useTexts();
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div className="toast">
      <span>{text}</span>
      {action && <Button variant="quiet" small className="toast-action" onClick={() => (dismiss(id), action.act())}>{action.text}</Button>}
      <IconButton small label={t("action.close")} icon="close" onClick={() => dismiss(id)} />
    </div>
  );
}
