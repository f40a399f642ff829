import { jsx as _jsx } from "react/jsx-runtime";
import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { ApprovalStore } from "./approvals.js";
import { ChatStore } from "./chat.js";
import { ConversationStore } from "./conversations.js";
import { TaskStore } from "./tasks.js";
const largestChatPage = 40;
const ErrandContext = createContext(null);
export function ErrandProvider({ client, children }) {
    return _jsx(ErrandContext.Provider, { value: client, children: children });
}
export function useErrand() {
    const client = useContext(ErrandContext);
    if (!client)
        throw new Error("@errand/react: wrap the application in <ErrandProvider client={createErrand({ … })}>.");
    return client;
}
export function useChat(conversationId, options = {}) {
    const errand = useErrand();
    const { onConversation, outbox } = options;
    const pageSize = Math.min(options.pageSize ?? 20, largestChatPage);
    const id = conversationId ?? undefined;
    const create = () => ({ errand, id, store: new ChatStore(errand, id, pageSize, outbox) });
    const [shown, show] = useState(create);
    let current = shown;
    if (shown.errand !== errand || shown.id !== id) {
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
export function useTasks(filter = {}, options = {}) {
    const errand = useErrand();
    const { orderBy, pageSize = 50 } = options;
    const key = JSON.stringify([filter, orderBy, pageSize]);
    const store = useMemo(() => {
        const [f, o, size] = JSON.parse(key);
        return new TaskStore(errand, f, o ?? undefined, size);
    }, [errand, key]);
    return useStore(store);
}
export function useConversations(options = {}) {
    const errand = useErrand();
    const { pageSize = 30, filter = {} } = options;
    const key = JSON.stringify([filter, pageSize]);
    const store = useMemo(() => {
        const [f, size] = JSON.parse(key);
        return new ConversationStore(errand, size, f);
    }, [errand, key]);
    return useStore(store);
}
export function useApprovals() {
    const errand = useErrand();
    const store = useMemo(() => new ApprovalStore(errand), [errand]);
    return useStore(store);
}
export function useConnection() {
    const { connection } = useErrand();
    return useSyncExternalStore(connection.subscribe, connection.get, connection.get);
}
function useStore(store) {
    return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
