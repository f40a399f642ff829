import { toErrandError } from "@errand/client";
import { approvalsQuery, conversationSubscription, decisions } from "./documents.js";
import { Store } from "./store.js";
const reloadAfter = 300;
export class ApprovalStore extends Store {
    errand;
    #approvals = [];
    #decided = new Set();
    #error = null;
    #loaded = false;
    #reload;
    #unsubscribe;
    constructor(errand) {
        super();
        this.errand = errand;
    }
    start() {
        this.#unsubscribe = this.errand.subscribe(conversationSubscription, { after: null }, {
            next: () => (this.#reload ??= setTimeout(() => void this.#refresh(), reloadAfter)),
            reset: () => void this.#refresh(),
            error: (error) => this.#fail(error),
        });
        void this.#refresh();
    }
    stop() {
        this.#unsubscribe?.();
        clearTimeout(this.#reload);
        this.#reload = undefined;
    }
    #refresh = async () => {
        clearTimeout(this.#reload);
        this.#reload = undefined;
        await this.persist(async () => {
            const { viewer } = await this.errand.query(approvalsQuery);
            this.#approvals = viewer.pendingApprovals;
            this.#loaded = true;
            this.#error = null;
        }, (error) => this.#fail(error));
        this.changed();
    };
    #fail(error) {
        this.#error = error;
        this.changed();
    }
    #decide = (field) => async (ids) => {
        this.#error = null;
        for (const id of ids)
            this.#decided.add(id);
        this.changed();
        try {
            await this.errand.mutate(decisions[field], { ids }, { retry: true });
            this.#approvals = this.#approvals.filter((a) => !ids.includes(a.id));
            return true;
        }
        catch (thrown) {
            this.#error = toErrandError(thrown);
            return false;
        }
        finally {
            for (const id of ids)
                this.#decided.delete(id);
            this.changed();
        }
    };
    #approve = this.#decide("approveToolCalls");
    #reject = this.#decide("rejectToolCalls");
    render() {
        return {
            approvals: this.#approvals.filter((a) => !this.#decided.has(a.id)),
            status: this.#loaded ? "ready" : this.#error ? "error" : "loading",
            error: this.#error,
            approve: this.#approve,
            reject: this.#reject,
            refresh: this.#refresh,
        };
    }
}
