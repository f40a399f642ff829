import { load, save, Value } from "./store";

/** Settings of this browser. They are kept on sign-out. */
export interface Preferences {
  theme: "system" | "light" | "dark";
  /** Language of the texts: a catalogue in texts/, or the browser's. */
  language: string;
  /** Whether the tasks are shown beside the chat, where there is room. */
  tasksBeside: boolean;
}

const defaults: Preferences = { theme: "system", language: "system", tasksBeside: true };

/** The settings of this browser. */
export const preferences = new Value<Preferences>({ ...defaults, ...load<Partial<Preferences>>("preferences") });

/** Changes settings of this browser. */
export function prefer(change: Partial<Preferences>): void {
  const changed = { ...preferences.get(), ...change };
  save("preferences", changed);
  preferences.set(changed);
}

// Another tab has changed them.
addEventListener("storage", (event) => {
  if (event.key === "errand:preferences") preferences.set({ ...defaults, ...load<Partial<Preferences>>("preferences") });
});

/** Applies the theme to the document now and whenever it changes. */
export function applyTheme(): void {
  const apply = () => {
    const { theme } = preferences.get();
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  };
  apply();
  preferences.subscribe(apply);
}
