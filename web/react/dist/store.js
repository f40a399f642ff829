import { retryAfterMs, toErrandError } from "@errand/client";
export class Store {
    #listeners = new Set();
    #snapshot;
    #stopping;
    active;
    getSnapshot = () => (this.#snapshot ??= this.render());
    subscribe = (listener) => {
        const own = () => listener();
        this.#listeners.add(own);
        clearTimeout(this.#stopping);
        if (!this.active) {
            this.active = new AbortController();
            this.start();
        }
        return () => {
            this.#listeners.delete(own);
            if (this.#listeners.size > 0)
                return;
            clearTimeout(this.#stopping);
            this.#stopping = setTimeout(() => {
                this.active?.abort();
                this.active = undefined;
                this.stop();
            });
        };
    };
    changed() {
        this.#snapshot = undefined;
        for (const listener of [...this.#listeners])
            listener();
    }
    async persist(request, failed) {
        const { active } = this;
        for (let n = 0; active && !active.signal.aborted; n++) {
            try {
                await request();
                return true;
            }
            catch (thrown) {
                if (active.signal.aborted)
                    return false;
                const error = toErrandError(thrown);
                failed(error);
                const wait = retryAfterMs(error);
                if (wait === undefined)
                    return false;
                await new Promise((resolve) => {
                    const timer = setTimeout(resolve, Math.max(wait, Math.min(30_000, 1000 * 2 ** n)));
                    active.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
                });
            }
        }
        return false;
    }
}
export function randomKey() {
    return globalThis.crypto?.randomUUID?.() ?? Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join("");
}
