import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { activeShortcuts } from "./shortcuts";

const names: Record<string, string> = { Escape: "Esc", ArrowUp: "↑", Enter: "↵" };

/** The list of the shortcuts that work in the present view. */
export function ShortcutList({ close }: { close(): void }) {
  const { t } = useTexts();
  return (
    <Dialog title={t("shortcut.title")} close={close} actions={<Button onClick={close} autoFocus>{t("action.close")}</Button>}>
      <dl className="shortcuts">
        {activeShortcuts().map(({ key, text }) => (
          <div key={key + text}>
            <dt><kbd>{names[key] ?? (key.length === 1 ? key.toUpperCase() : key)}</kbd></dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
