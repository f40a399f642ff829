import { retryAfterMs, toErrandError, type ErrandError } from "@errand/client";

/**
 * A state that hooks read with useSyncExternalStore. It is started with the first subscriber and stopped after the last,
 * but not in between when React mounts a component twice in its strict mode.
 */
export abstract class Store<S> {
  #listeners = new Set<() => void>();
  #snapshot: S | undefined;
  #stopping: ReturnType<typeof setTimeout> | undefined;
  /** Aborted when the store stops; undefined while it is stopped. */
  protected active: AbortController | undefined;

  /** Computes what the hook returns. */
  protected abstract render(): S;
  /** Loads and subscribes. `active` is set. */
  protected abstract start(): void;
  /** Undoes start. */
  protected abstract stop(): void;

  readonly getSnapshot = (): S => (this.#snapshot ??= this.render());

  readonly subscribe = (listener: () => void): (() => void) => {
    // A second mount of the same component passes the same function.
    const own = () => listener();
    this.#listeners.add(own);
    clearTimeout(this.#stopping);
    if (!this.active) {
      this.active = new AbortController();
      this.start();
    }
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#stopping);
      this.#stopping = setTimeout(() => {
        this.active?.abort();
        this.active = undefined;
        this.stop();
      });
    };
  };

  /** Renders again and notifies the subscribers. */
  protected changed(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Runs a request until it succeeds, fails for good, or the store stops. Resolves with whether it succeeded. `failed` is
   * called with each error.
   */
  protected async persist(request: () => Promise<void>, failed: (error: ErrandError) => void): Promise<boolean> {
    const { active } = this;
    for (let n = 0; active && !active.signal.aborted; n++) {
      try {
        await request();
        return true;
      } catch (thrown) {
        if (active.signal.aborted) return false;
        const error = toErrandError(thrown);
        failed(error);
        const wait = retryAfterMs(error);
        if (wait === undefined) return false;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(wait, Math.min(30_000, 1000 * 2 ** n)));
          active.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
        });
      }
    }
    return false;
  }
}

/** A random key. crypto.randomUUID exists in secure contexts only. */
export function randomKey(): string {
  return globalThis.crypto?.randomUUID?.() ?? Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join("");
}
