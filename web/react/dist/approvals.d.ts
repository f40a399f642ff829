import { type Errand } from "@errand/client";
import { Store } from "./store.js";
import type { Approvals } from "./types.js";
/** The state of the list of open approvals. It is loaded again when a conversation has changed. */
export declare class ApprovalStore extends Store<Approvals> {
    #private;
    private readonly errand;
    constructor(errand: Errand);
    protected start(): void;
    protected stop(): void;
    protected render(): Approvals;
}
