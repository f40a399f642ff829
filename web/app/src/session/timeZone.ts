import type { Errand } from "@errand/client";
import { load, save } from "../store";
import { texts } from "../texts";
import { toast } from "../ui/toasts";
import { SetTimeZoneDocument, TimeZoneDocument } from "./operations";

/** Notes that the browser's time zone was offered to the account. */
const OFFERED = "user:time-zone-offered";
/** The page does not wait longer than this. */
const PATIENCE_MS = 4_000;

/**
 * At the first visit of a user whose account has no time zone yet, takes that of the browser. It is awaited before the page
 * is shown: the first words of the user may already contain a date. Never rejects.
 */
export async function takeTimeZone(errand: Errand): Promise<void> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (load(OFFERED) || !timeZone || timeZone === "UTC") return;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const { viewer } = await errand.query(TimeZoneDocument, {}, { signal });
    if (viewer.timeZone === "UTC") {
      await errand.mutate(SetTimeZoneDocument, { timeZone }, { signal, retry: true });
      toast(texts().t("settings.timeZoneTaken", { zone: timeZone.replaceAll("_", " ") }));
    }
    save(OFFERED, true);
  } catch {
    // Without a network, or without the scope `account`: the next visit tries again.
  }
}
