import { toErrandError } from "@errand/client";
import { Store } from "./store.js";
const largestPage = 100;
export class ListStore extends Store {
    errand;
    pageSize;
    subscription;
    error = null;
    hasMore = false;
    #cursor = null;
    #loaded = false;
    #after = null;
    #more;
    #unsubscribe;
    constructor(errand, pageSize, subscription) {
        super();
        this.errand = errand;
        this.pageSize = pageSize;
        this.subscription = subscription;
    }
    start() {
        if (this.#loaded)
            this.#follow();
        else
            void this.refresh();
    }
    stop() {
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
    }
    #follow() {
        if (!this.active || this.#unsubscribe)
            return;
        this.#unsubscribe = this.errand.subscribe(this.subscription, { after: this.#cursor }, {
            next: (data) => {
                const event = Object.values(data)[0];
                this.#cursor = event.cursor;
                this.apply(event);
                this.changed();
            },
            reset: () => void this.refresh(),
            error: (error) => this.#fail(error),
        });
    }
    refresh = async () => {
        await this.persist(async () => {
            const page = await this.#page(Math.min(largestPage, Math.max(this.pageSize, this.size())), null);
            this.#cursor ??= page.streamCursor;
            this.#loaded = true;
            this.error = null;
            this.#follow();
        }, (error) => this.#fail(error));
        this.changed();
    };
    #loadMore = async (count = this.pageSize) => {
        if (!this.hasMore)
            return;
        this.#more ??= this.#pages(count)
            .then(() => this.changed(), (thrown) => this.#fail(toErrandError(thrown)))
            .finally(() => (this.#more = undefined));
        await this.#more;
    };
    async #pages(count) {
        for (let left = count; left > 0 && this.hasMore; left -= largestPage) {
            await this.#page(Math.min(left, largestPage), this.#after);
        }
    }
    async #page(first, after) {
        const page = await this.query(first, after);
        this.hasMore = page.pageInfo.hasNextPage;
        this.#after = page.pageInfo.endCursor;
        this.add(page, after === null);
        return page;
    }
    #fail(error) {
        this.error = error;
        this.changed();
    }
    parts() {
        return {
            status: this.#loaded ? "ready" : this.error ? "error" : "loading",
            error: this.error,
            hasMore: this.hasMore,
            loadMore: this.#loadMore,
            refresh: this.refresh,
        };
    }
}
