import { useMemo, useState } from "react";
import { useServer } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { session } from "../session/session";
import type { UpdateViewerInput, Weekday } from "./operations";

const weekdays: readonly Weekday[] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

/** Name, time zone and week of the account. */
export function Profile({ update }: { update(input: UpdateViewerInput): Promise<void> }) {
  const { t, locale } = useTexts();
  const { viewer } = useServer();
  const zones = useMemo(() => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")], []);
  const dayName = useMemo(() => {
    const format = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
    // The first of January 2024 was a Monday.
    return (index: number) => format.format(new Date(Date.UTC(2024, 0, 1 + index)));
  }, [locale]);
  return (
    <section aria-labelledby="settings-account">
      <h2 id="settings-account">{t("settings.account")}</h2>
      {viewer && (
        <>
          <Name key={viewer.name} name={viewer.name} save={(name) => void update({ name })} />
          {viewer.email && <p className="hint" dir="auto">{viewer.email}</p>}
          <label>
            <span>{t("settings.timeZone")}</span>
            <select value={viewer.timeZone} onChange={(event) => void update({ timeZone: event.target.value })}>
              {(zones.includes(viewer.timeZone) ? zones : [viewer.timeZone, ...zones]).map((zone) => <option key={zone} value={zone}>{zone.replaceAll("_", " ")}</option>)}
            </select>
          </label>
          <label>
            <span>{t("settings.weekStart")}</span>
            <select value={viewer.weekStart} onChange={(event) => void update({ weekStart: event.target.value as Weekday })}>
              {weekdays.map((day, index) => <option key={day} value={day}>{dayName(index)}</option>)}
            </select>
          </label>
        </>
      )}
      <Button icon="signOut" onClick={() => void session.signOut()}>{t("settings.signOut")}</Button>
    </section>
  );
}

/** The name, which is saved when the field is left. */
function Name({ name, save }: { name: string; save(name: string): void }) {
  const { t } = useTexts();
  const [text, setText] = useState(name);
  const finish = () => {
    if (text.trim() !== name) save(text.trim());
  };
  return (
    <label>
      <span>{t("settings.name")}</span>
      <input value={text} maxLength={200} dir="auto" autoComplete="name" onChange={(event) => setText(event.target.value)} onBlur={finish} onKeyDown={(event) => event.key === "Enter" && finish()} />
    </label>
  );
}
