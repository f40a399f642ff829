import { useErrand } from "@errand/react";
import { useState } from "react";
import { session } from "../session/session";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { messageOf, toast } from "../ui/toasts";
import { DeleteViewerDocument, ExportDocument } from "./operations";

/** What the server wants to be given, so that no account is deleted by mistake. */
const CONFIRMATION = "delete my account";

/** Export of all data, and deletion of the account. */
export function Data() {
  const { t } = useTexts();
  const errand = useErrand();
  const [isBusy, setBusy] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      const { exportViewer } = await errand.query(ExportDocument, {});
      const url = URL.createObjectURL(new Blob([JSON.stringify(exportViewer, null, 2)], { type: "application/json" }));
      const link = Object.assign(document.createElement("a"), { href: url, download: "errand.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      toast(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <section aria-labelledby="settings-data">
      <h2 id="settings-data">{t("settings.data")}</h2>
      <p className="hint">{t("settings.dataHint")}</p>
      <div className="settings-buttons">
        <Button icon="arrowDown" disabled={isBusy} onClick={() => void download()}>{t("settings.export")}</Button>
        <Button icon="trash" variant="danger" onClick={() => setDeleting(true)}>{t("settings.delete")}</Button>
      </div>
      {isDeleting && <DeleteAccount close={() => setDeleting(false)} />}
    </section>
  );
}

function DeleteAccount({ close }: { close(): void }) {
  const { t } = useTexts();
  const errand = useErrand();
  const [text, setText] = useState("");
  const matches = text.trim() === CONFIRMATION;
  const remove = async () => {
    try {
      await errand.mutate(DeleteViewerDocument, { confirm: CONFIRMATION });
      close();
      await session.signOut();
    } catch (error) {
      toast(messageOf(error));
    }
  };
  const actions = (
    <>
      <Button onClick={close}>{t("action.cancel")}</Button>
      <Button variant="danger" disabled={!matches} onClick={() => void remove()}>{t("settings.delete")}</Button>
    </>
  );
  return (
    <Dialog title={t("settings.deleteTitle")} close={close} actions={actions}>
      <p>{t("settings.deleteText")}</p>
      <label className="confirm">
        <span>{t("settings.deleteConfirm", { words: CONFIRMATION })}</span>
        <input value={text} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} />
      </label>
    </Dialog>
  );
}
