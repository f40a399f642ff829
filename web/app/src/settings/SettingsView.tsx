import { useEffect, useState } from "react";
import { useServer } from "../shell/server";
import { ViewHeader } from "../shell/ViewHeader";
import { useTexts } from "../texts";
import { ApiTokens } from "./ApiTokens";
import { Appearance } from "./Appearance";
import { ApprovalPolicy } from "./ApprovalPolicy";
import { Assistants } from "./Assistants";
import { Data } from "./Data";
import type { UsagePeriod } from "./operations";
import { Profile } from "./Profile";
import { Security } from "./Security";
import { Usage } from "./Usage";
import type { NewSecret } from "./useApiTokens";
import { useAccountUser } from "./useAccount";
import { useSettings } from "./useSettings";
import "./settings.css";

/** The settings. `section` names the part that is scrolled to, such as `usage`. */
export function SettingsView({ section }: { section: string | null }) {
  const { t } = useTexts();
  const { server } = useServer();
  const accountUser = useAccountUser();
  const [period, setPeriod] = useState<UsagePeriod>("DAY");
  const [secret, setSecret] = useState<NewSecret | null>(null);
  const { settings, update } = useSettings(period);
  const isLoaded = settings !== null;
  useEffect(() => {
    if (section && isLoaded) document.getElementById(`settings-${section}`)?.scrollIntoView();
  }, [section, isLoaded]);
  return (
    <>
      <ViewHeader title={t("nav.settings")} />
      <div className="view-body settings">
        <Profile update={update} />
        {accountUser && <Security />}
        <Appearance />
        {settings && <ApprovalPolicy policy={settings.approvalPolicy} update={update} />}
        {settings && <Usage usage={settings.usage} period={period} setPeriod={setPeriod} />}
        <ApiTokens secret={secret} setSecret={setSecret} />
        <Assistants key={secret?.secret} secret={secret?.secret ?? ""} />
        <Data />
        {server?.version && <p className="hint">{t("settings.version", { version: server.version })}</p>}
      </div>
    </>
  );
}
