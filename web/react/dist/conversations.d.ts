import { type Errand } from "@errand/client";
import { Store } from "./store.js";
import type { Conversations } from "./types.js";
/** The state of the list of conversations. */
export declare class ConversationStore extends Store<Conversations> {
    #private;
    private readonly errand;
    private readonly pageSize;
    constructor(errand: Errand, pageSize: number);
    protected start(): void;
    protected stop(): void;
    protected render(): Conversations;
}
