import { useMemo } from "react";
import { preferences } from "../preferences";
import { useValue } from "../store";
import de from "./de.json";
import en from "./en.json";
import { fill, type Values } from "./message";

/** Name of a text. */
export type TextKey = keyof typeof en;

/** Whether a string is the name of a text. */
export const isTextKey = (key: string): key is TextKey => Object.hasOwn(en, key);

/** The catalogues: a language is a file. Add it here and, if it is written from right to left, to `rightToLeft`. */
export const catalogues: Record<string, Record<TextKey, string>> = { en, de };
const rightToLeft = ["ar", "fa", "he", "ur"];

/** Names of the languages, in themselves. */
export const languages = Object.keys(catalogues).map((code) => ({
  code,
  name: new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code,
}));

export interface Texts {
  /** Language of the catalogue. */
  language: string;
  /** Locale of dates and numbers: the browser's, if it is of the language of the texts. */
  locale: string;
  direction: "ltr" | "rtl";
  /** Returns a text with its placeholders filled in. */
  t(key: TextKey, values?: Values): string;
}

function textsFor(preference: string, browser: readonly string[]): Texts {
  const known = (locale: string) => locale.split("-")[0]! in catalogues;
  const locale =
    preference === "system" ? (browser.find(known) ?? "en") : (browser.find((l) => l.split("-")[0] === preference) ?? preference);
  const language = locale.split("-")[0]!;
  const catalogue = catalogues[language] ?? en;
  return {
    language,
    locale,
    direction: rightToLeft.includes(language) ? "rtl" : "ltr",
    t: (key, values = {}) => fill(catalogue[key] ?? en[key] ?? key, values, locale),
  };
}

let current: Texts | undefined;
let chosen: string | undefined;

/** The texts in the language of the user. Components use useTexts. */
export function texts(): Texts {
  const { language } = preferences.get();
  if (!current || chosen !== language) {
    chosen = language;
    current = textsFor(language, navigator.languages);
  }
  return current;
}

/** The texts in the language of the user; the component renders again when that changes. */
export function useTexts(): Texts {
  const { language } = useValue(preferences);
  return useMemo(() => (void language, texts()), [language]);
}

/** Sets the language and the direction of the document, now and whenever they change. */
export function applyLanguage(): void {
  const apply = () => {
    document.documentElement.lang = texts().language;
    document.documentElement.dir = texts().direction;
  };
  apply();
  preferences.subscribe(apply);
}
