import { type Errand } from "@errand/client";
import { Store } from "./store.js";
import type { Chat } from "./types.js";
/** The state of one chat. */
export declare class ChatStore extends Store<Chat> {
    #private;
    private readonly errand;
    private readonly pageSize;
    onConversation: ((id: string) => void) | undefined;
    conversationId: string | undefined;
    constructor(errand: Errand, conversationId: string | undefined, pageSize: number);
    protected start(): void;
    protected stop(): void;
    protected render(): Chat;
}
