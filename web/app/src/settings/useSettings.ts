import { useErrand } from "@errand/react";
import { useCallback, useEffect, useState } from "react";
import { useServer } from "../shell/server";
import { messageOf, toast } from "../ui/toasts";
import { SettingsDocument, UpdateViewerDocument, type SettingsQuery, type UpdateViewerInput, type UsagePeriod } from "./operations";

/** The settings of the account, and how to change them. Errors are shown as toasts. */
export function useSettings(period: UsagePeriod) {
  const errand = useErrand();
  const { reloadViewer } = useServer();
  const [settings, setSettings] = useState<SettingsQuery["viewer"] | null>(null);
  useEffect(() => {
    let ended = false;
    errand.query(SettingsDocument, { period }).then(
      (data) => void (ended || setSettings(data.viewer)),
      (error: unknown) => void (ended || toast(messageOf(error))),
    );
    return () => void (ended = true);
  }, [errand, period]);
  const update = useCallback(
    async (input: UpdateViewerInput) => {
      try {
        const { updateViewer } = await errand.mutate(UpdateViewerDocument, { input }, { retry: true });
        const approvalPolicy = updateViewer?.viewer.approvalPolicy;
        if (approvalPolicy) setSettings((before) => before && { ...before, approvalPolicy });
      } catch (error) {
        toast(messageOf(error));
      }
      await reloadViewer();
    },
    [errand, reloadViewer],
  );
  return { settings, update };
}
