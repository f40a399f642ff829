import type { ConnectionState, Errand } from "@errand/client";
import { type ReactNode } from "react";
import type { Approvals, Chat, ChatOptions, Conversations, ConversationsOptions, TaskFilter, Tasks, TasksOptions } from "./types.js";
export type * from "./types.js";
/** Passes a client to the hooks below it. Create the client once, outside of components. */
export declare function ErrandProvider({ client, children }: {
    client: Errand;
    children?: ReactNode;
}): ReactNode;
/** The client of the nearest ErrandProvider. */
export declare function useErrand(): Errand;
/**
 * A chat with the agent. Without an id the first message creates a conversation. When the id changes to another
 * conversation, the hook shows that one.
 */
export declare function useChat(conversationId?: string | null, options?: ChatOptions): Chat;
/** The tasks that the filter selects, live and with optimistic changes. */
export declare function useTasks(filter?: TaskFilter, options?: TasksOptions): Tasks;
/** The user's conversations that the filter selects, live, newest first. */
export declare function useConversations(options?: ConversationsOptions): Conversations;
/** The tool calls of all conversations that wait for the user's approval, live. */
export declare function useApprovals(): Approvals;
/** State of the connection, to be shown to users: see ConnectionState. */
export declare function useConnection(): ConnectionState;
