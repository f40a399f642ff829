import { useSyncExternalStore } from "react";

/** A value with listeners. Values are replaced, never modified. */
export class Store<T> {
  #listeners = new Set<() => void>();
  #value: T;

  constructor(initial: T) {
    this.#value = initial;
  }

  get = () => this.#value;

  set = (value: T) => {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  };

  /** Calls listener after every change; returns the function that unsubscribes. */
  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}

/** The value of a store, or the part that select returns; renders again after every change of it. */
export function useStore<T>(store: Store<T>): T;
export function useStore<T, P>(store: Store<T>, select: (value: T) => P): P;
export function useStore<T>(store: Store<T>, select = (value: T): unknown => value) {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
