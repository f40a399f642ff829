import { prefer, preferences, type Preferences } from "../preferences";
import { useValue } from "../store";
import { languages, useTexts } from "../texts";

const themes: readonly Preferences["theme"][] = ["system", "light", "dark"];

/** Theme and language, which belong to the browser. */
export function Appearance() {
  const { t } = useTexts();
  const { theme, language } = useValue(preferences);
  return (
    <section aria-labelledby="settings-appearance">
      <h2 id="settings-appearance">{t("settings.appearance")}</h2>
      <label>
        <span>{t("settings.theme")}</span>
        <select value={theme} onChange={(event) => prefer({ theme: event.target.value as Preferences["theme"] })}>
          {themes.map((name) => <option key={name} value={name}>{t(`settings.theme.${name}`)}</option>)}
        </select>
      </label>
      <label>
        <span>{t("settings.language")}</span>
        <select value={language} onChange={(event) => prefer({ language: event.target.value })}>
          <option value="system">{t("settings.language.system")}</option>
          {languages.map(({ code, name }) => <option key={code} value={code}>{name}</option>)}
        </select>
      </label>
    </section>
  );
}
