import { toErrandError } from "@errand/client";
import { conversationsQuery, conversationSubscription, deleteMutation, renameMutation } from "./documents.js";
import { Store } from "./store.js";
export class ConversationStore extends Store {
    errand;
    pageSize;
    #conversations = new Map();
    #touched = new Set();
    #changes = new Map();
    #last;
    #cursor = null;
    #error = null;
    #loaded = false;
    #after = null;
    #hasMore = false;
    #more;
    #unsubscribe;
    constructor(errand, pageSize) {
        super();
        this.errand = errand;
        this.pageSize = pageSize;
    }
    start() {
        this.#unsubscribe = this.errand.subscribe(conversationSubscription, { after: this.#cursor }, {
            next: ({ conversationStream }) => this.#receive(conversationStream),
            reset: () => void this.#load(),
            error: (error) => this.#fail(error),
        });
        if (!this.#loaded || !this.#cursor)
            void this.#load();
    }
    stop() {
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
    }
    #receive(event) {
        this.#cursor = event.cursor;
        if (event.__typename === "ConversationsReset")
            void this.#load();
        else if (event.__typename === "ConversationDeleted")
            this.#set(event.deletedId, null);
        else
            this.#set(event.conversation.id, event.conversation.archivedAt ? null : event.conversation);
        this.changed();
    }
    #set(id, conversation) {
        this.#conversations.set(id, conversation);
        this.#touched.add(id);
    }
    #load = async () => {
        await this.persist(async () => {
            this.#touched.clear();
            const page = await this.#page(Math.min(100, Math.max(this.pageSize, this.#conversations.size)), null);
            const present = new Set(page.nodes.map((c) => c.id));
            const last = page.nodes.at(-1);
            for (const [id, c] of this.#conversations) {
                const inRange = c && (!page.pageInfo.hasNextPage || (last && newestFirst(c, last) <= 0));
                if (inRange && !present.has(id) && !this.#touched.has(id))
                    this.#conversations.delete(id);
            }
            this.#loaded = true;
            this.#error = null;
        }, (error) => this.#fail(error));
        this.changed();
    };
    async #page(first, after) {
        const { conversations } = await this.errand.query(conversationsQuery, { first, after });
        for (const c of conversations.nodes)
            if (!this.#touched.has(c.id))
                this.#conversations.set(c.id, c);
        this.#hasMore = conversations.pageInfo.hasNextPage;
        this.#after = conversations.pageInfo.endCursor;
        this.#last = conversations.nodes.at(-1)?.id;
        return conversations;
    }
    #loadMore = async () => {
        if (!this.#hasMore)
            return;
        const load = async () => {
            try {
                this.#touched.clear();
                await this.#page(this.pageSize, this.#after);
                this.changed();
            }
            catch (thrown) {
                this.#fail(toErrandError(thrown));
            }
        };
        await (this.#more ??= load().finally(() => (this.#more = undefined)));
    };
    #fail(error) {
        this.#error = error;
        this.changed();
    }
    async #change(id, change, send) {
        this.#changes.set(id, change);
        this.#error = null;
        this.changed();
        try {
            this.#set(id, await send());
        }
        catch (thrown) {
            this.#error = toErrandError(thrown);
        }
        if (this.#changes.get(id) === change)
            this.#changes.delete(id);
        this.changed();
    }
    #rename = (id, title) => this.#change(id, { title: title ?? "" }, async () => {
        const { updateConversation } = await this.errand.mutate(renameMutation, { input: { id, title } }, { retry: true });
        return updateConversation.conversation;
    });
    #remove = (id) => this.#change(id, null, async () => {
        await this.errand.mutate(deleteMutation, { id });
        return null;
    });
    render() {
        const last = this.#hasMore && this.#last ? this.#conversations.get(this.#last) : undefined;
        const list = [];
        for (const [id, conversation] of this.#conversations) {
            const change = this.#changes.get(id);
            if (!conversation || change === null || (last && newestFirst(conversation, last) > 0))
                continue;
            list.push(change ? { ...conversation, ...change } : conversation);
        }
        return {
            conversations: list.sort(newestFirst),
            status: this.#loaded ? "ready" : this.#error ? "error" : "loading",
            error: this.#error,
            rename: this.#rename,
            remove: this.#remove,
            hasMore: this.#hasMore,
            loadMore: this.#loadMore,
            refresh: this.#load,
        };
    }
}
const newestFirst = (a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
