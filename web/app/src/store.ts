import { useSyncExternalStore } from "react";

/** A value with subscribers. */
export class Value<T> {
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** Renders the component again when the value changes. */
export function useValue<T>(value: Value<T>): T {
  return useSyncExternalStore(value.subscribe, value.get, value.get);
}

/** Names of what the page keeps in the browser. Sign-out removes all entries that belong to a user. */
const PREFIX = "errand:";

/** Reads an entry; null if there is none, or if the browser forbids storage. */
export function load<T>(name: string): T | null {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Writes an entry; null removes it. Does nothing if the browser forbids storage. */
export function save(name: string, value: unknown): void {
  try {
    if (value === null || value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full, or forbidden: the entry lives as long as the page.
  }
}

/** A storage whose entries belong to the user. Once it is closed, nothing is written: requests may outlive a session. */
export class UserStorage {
  #isOpen = true;

  readonly getItem = (name: string): string | null => load<string>(`user:${name}`);
  readonly setItem = (name: string, value: string): void => {
    if (this.#isOpen) save(`user:${name}`, value);
  };
  readonly removeItem = (name: string): void => save(`user:${name}`, null);

  close(): void {
    this.#isOpen = false;
  }
}

/** Removes everything that belongs to the user but the entries to keep. Settings of the browser, such as the theme, stay. */
export function forgetUser(keep: readonly string[] = []): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(`${PREFIX}user:`) && !keep.includes(key.slice(PREFIX.length))) localStorage.removeItem(key);
    }
  } catch {
    // Nothing is stored.
  }
}
