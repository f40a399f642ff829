import type { ConnectionState, Errand } from "@errand/client";
import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { ApprovalStore } from "./approvals.js";
import { ChatStore } from "./chat.js";
import { ConversationStore } from "./conversations.js";
import type { Store } from "./store.js";
import { TaskStore } from "./tasks.js";
import type {
  Approvals,
  Chat,
  ChatOptions,
  ConversationFilter,
  Conversations,
  ConversationsOptions,
  TaskFilter,
  Tasks,
  TasksOptions,
} from "./types.js";

export type * from "./types.js";

/** A larger page would be refused, with what a message holds. */
const largestChatPage = 40;

const ErrandContext = createContext<Errand | null>(null);

/** Passes a client to the hooks below it. Create the client once, outside of components. */
export function ErrandProvider({ client, children }: { client: Errand; children?: ReactNode }): ReactNode {
  return <ErrandContext.Provider value={client}>{children}</ErrandContext.Provider>;
}

/** The client of the nearest ErrandProvider. */
export function useErrand(): Errand {
  const client = useContext(ErrandContext);
  if (!client) throw new Error("@errand/react: wrap the application in <ErrandProvider client={createErrand({ … })}>.");
  return client;
}

/**
 * A chat with the agent. Without an id the first message creates a conversation. When the id changes to another
 * conversation, the hook shows that one.
 */
export function useChat(conversationId?: string | null, options: ChatOptions = {}): Chat {
  const errand = useErrand();
  const { onConversation, outbox } = options;
  const pageSize = Math.min(options.pageSize ?? 20, largestChatPage);
  const id = conversationId ?? undefined;
  const create = () => ({ errand, id, store: new ChatStore(errand, id, pageSize, outbox) });
  const [shown, show] = useState(create);
  let current = shown;
  if (shown.errand !== errand || shown.id !== id) {
    // The id that this chat has created is not another conversation.
    const same = shown.errand === errand && id !== undefined && shown.store.conversationId === id;
    current = same ? { ...shown, id } : create();
    show(current);
  }
  const { store } = current;
  useEffect(() => {
    store.onConversation = onConversation;
  });
  return useStore(store);
}

/** The tasks that the filter selects, live and with optimistic changes. */
export function useTasks(filter: TaskFilter = {}, options: TasksOptions = {}): Tasks {
  const errand = useErrand();
  const { orderBy, pageSize = 50 } = options;
  // The arguments are compared by value: callers write them as literals.
  const key = JSON.stringify([filter, orderBy, pageSize]);
  const store = useMemo(() => {
    const [f, o, size] = JSON.parse(key) as [TaskFilter, TasksOptions["orderBy"] | null, number];
    return new TaskStore(errand, f, o ?? undefined, size);
  }, [errand, key]);
  return useStore(store);
}

/** The user's conversations that the filter selects, live, newest first. */
export function useConversations(options: ConversationsOptions = {}): Conversations {
  const errand = useErrand();
  const { pageSize = 30, filter = {} } = options;
  const key = JSON.stringify([filter, pageSize]);
  const store = useMemo(() => {
    const [f, size] = JSON.parse(key) as [ConversationFilter, number];
    return new ConversationStore(errand, size, f);
  }, [errand, key]);
  return useStore(store);
}

/** The tool calls of all conversations that wait for the user's approval, live. */
export function useApprovals(): Approvals {
  const errand = useErrand();
  const store = useMemo(() => new ApprovalStore(errand), [errand]);
  return useStore(store);
}

/** State of the connection, to be shown to users: see ConnectionState. */
export function useConnection(): ConnectionState {
  const { connection } = useErrand();
  return useSyncExternalStore(connection.subscribe, connection.get, connection.get);
}

function useStore<S>(store: Store<S>): S {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
