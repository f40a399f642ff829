import { type Errand } from "@errand/client";
import { Store } from "./store.js";
import type { Chat, Outbox } from "./types.js";
/** The state of one chat. */
export declare class ChatStore extends Store<Chat> {
    #private;
    private readonly errand;
    private readonly pageSize;
    private readonly outbox?;
    onConversation: ((id: string) => void) | undefined;
    conversationId: string | undefined;
    constructor(errand: Errand, conversationId: string | undefined, pageSize: number, outbox?: Outbox | undefined);
    protected start(): void;
    protected stop(): void;
    protected render(): Chat;
}
