import { type Conversation, type Errand } from "@errand/client";
import { ListStore, type Page } from "./list.js";
import type { ConversationFilter, Conversations } from "./types.js";
type ConversationEvent = {
    __typename: "ConversationChanged";
    cursor: string;
    conversation: Conversation;
} | {
    __typename: "ConversationDeleted";
    cursor: string;
    deletedId: string;
} | {
    __typename: "ConversationsReset";
    cursor: string;
};
/** The state of the list of conversations. */
export declare class ConversationStore extends ListStore<Conversations, Conversation, ConversationEvent> {
    #private;
    private readonly filter;
    constructor(errand: Errand, pageSize: number, filter: ConversationFilter);
    protected stop(): void;
    protected apply(event: ConversationEvent): void;
    protected size(): number;
    protected query(first: number, after: string | null): Promise<Page<Conversation>>;
    protected add({ nodes }: Page<Conversation>, isFirst: boolean): void;
    protected render(): Conversations;
}
export {};
