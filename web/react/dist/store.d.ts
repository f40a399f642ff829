import { type ErrandError } from "@errand/client";
/**
 * A state that hooks read with useSyncExternalStore. It is started with the first subscriber and stopped after the last,
 * but not in between when React mounts a component twice in its strict mode.
 */
export declare abstract class Store<S> {
    #private;
    /** Aborted when the store stops; undefined while it is stopped. */
    protected active: AbortController | undefined;
    /** Computes what the hook returns. */
    protected abstract render(): S;
    /** Loads and subscribes. `active` is set. */
    protected abstract start(): void;
    /** Undoes start. */
    protected abstract stop(): void;
    readonly getSnapshot: () => S;
    readonly subscribe: (listener: () => void) => (() => void);
    /** Renders again and notifies the subscribers. */
    protected changed(): void;
    /**
     * Runs a request until it succeeds, fails for good, or the store stops. Resolves with whether it succeeded. `failed` is
     * called with each error.
     */
    protected persist(request: () => Promise<void>, failed: (error: ErrandError) => void): Promise<boolean>;
}
/** A random key. crypto.randomUUID exists in secure contexts only. */
export declare function randomKey(): string;
