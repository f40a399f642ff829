import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import type { SettingsQuery, UsagePeriod } from "./operations";

const periods: readonly UsagePeriod[] = ["DAY", "WEEK", "MONTH"];

/** What the user's replies have used of the model. */
export function Usage({ usage, period, setPeriod }: { usage: SettingsQuery["viewer"]["usage"]; period: UsagePeriod; setPeriod(period: UsagePeriod): void }) {
  const { t, locale } = useTexts();
  const dates = useDates();
  const number = new Intl.NumberFormat(locale);
  const used = usage.inputTokens + usage.outputTokens;
  const limit = period === "DAY" ? usage.dailyTokenLimit : null;
  return (
    <section aria-labelledby="settings-usage">
      <h2 id="settings-usage">{t("settings.usage")}</h2>
      <label>
        <span>{t("usage.period")}</span>
        <select value={period} onChange={(event) => setPeriod(event.target.value as UsagePeriod)}>
          {periods.map((p) => <option key={p} value={p}>{t(`usage.${p}`)}</option>)}
        </select>
      </label>
      <dl className="usage">
        <div><dt>{t("usage.calls")}</dt><dd>{number.format(usage.calls)}</dd></div>
        <div><dt>{t("usage.input")}</dt><dd>{number.format(usage.inputTokens)}</dd></div>
        <div><dt>{t("usage.output")}</dt><dd>{number.format(usage.outputTokens)}</dd></div>
        {usage.cost !== null && <div><dt>{t("usage.cost")}</dt><dd>{new Intl.NumberFormat(locale, { maximumFractionDigits: 4 }).format(usage.cost)}</dd></div>}
      </dl>
      {limit !== null && (
        <p>
          <meter min={0} max={limit} value={Math.min(used, limit)} aria-label={t("usage.limit")} />{" "}
          {t("usage.ofLimit", { used, limit, time: dates.dateTime(usage.resetsAt) })}
        </p>
      )}
    </section>
  );
}
