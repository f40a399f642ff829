import { toErrandError } from "@errand/client";
import { conversationsQuery, conversationSubscription, deleteMutation, updateMutation } from "./documents.js";
import { ListStore } from "./list.js";
export class ConversationStore extends ListStore {
    filter;
    #conversations = new Map();
    #touched = new Set();
    #changes = new Map();
    #last;
    #reload;
    constructor(errand, pageSize, filter) {
        super(errand, pageSize, conversationSubscription);
        this.filter = filter;
    }
    stop() {
        clearTimeout(this.#reload);
        this.#reload = undefined;
        super.stop();
    }
    apply(event) {
        if (event.__typename === "ConversationsReset")
            void this.refresh();
        else if (event.__typename === "ConversationDeleted")
            this.#set(event.deletedId, null);
        else
            this.#store(event.conversation);
    }
    #store(conversation) {
        const { id } = conversation;
        const fits = !!conversation.archivedAt === !!this.filter.archived;
        if (!fits)
            this.#set(id, null);
        else if (!this.filter.search)
            this.#set(id, conversation);
        else {
            if (this.#conversations.get(id))
                this.#conversations.set(id, conversation);
            this.#reload ??= setTimeout(() => void ((this.#reload = undefined), this.refresh()), 300);
        }
    }
    #set(id, conversation) {
        this.#conversations.set(id, conversation);
        this.#touched.add(id);
    }
    size() {
        return this.#conversations.size;
    }
    async query(first, after) {
        this.#touched.clear();
        const data = await this.errand.query(conversationsQuery, {
            first,
            after,
            filter: this.filter,
        });
        return data.conversations;
    }
    add({ nodes }, isFirst) {
        const present = new Map(nodes.map((c) => [c.id, c]));
        const last = nodes.at(-1);
        this.#last = last?.id;
        for (const [id, c] of present)
            if (!this.#touched.has(id))
                this.#conversations.set(id, c);
        if (!isFirst)
            return;
        for (const [id, c] of this.#conversations) {
            const inRange = c && (!this.hasMore || (last && newestFirst(c, last) <= 0));
            if (inRange && !present.has(id) && !this.#touched.has(id))
                this.#conversations.delete(id);
        }
    }
    async #change(id, change, send) {
        this.#changes.set(id, change);
        this.error = null;
        this.changed();
        try {
            const conversation = await send();
            if (conversation)
                this.#store(conversation);
            else
                this.#set(id, null);
        }
        catch (thrown) {
            this.error = toErrandError(thrown);
        }
        if (this.#changes.get(id) === change)
            this.#changes.delete(id);
        this.changed();
    }
    async #update(input) {
        const { updateConversation } = await this.errand.mutate(updateMutation, { input }, { retry: true });
        return updateConversation.conversation;
    }
    #rename = (id, title) => this.#change(id, { title: title ?? "" }, () => this.#update({ id, title }));
    #archive = (id, archived = true) => this.#change(id, archived === !!this.filter.archived ? {} : null, () => this.#update({ id, archived }));
    #remove = (id) => this.#change(id, null, async () => {
        await this.errand.mutate(deleteMutation, { id });
        return null;
    });
    render() {
        const last = this.hasMore && this.#last ? this.#conversations.get(this.#last) : undefined;
        const list = [];
        for (const [id, conversation] of this.#conversations) {
            const change = this.#changes.get(id);
            if (!conversation || change === null || (last && newestFirst(conversation, last) > 0))
                continue;
            list.push(change ? { ...conversation, ...change } : conversation);
        }
        return {
            ...this.parts(),
            conversations: list.sort(newestFirst),
            rename: this.#rename,
            archive: this.#archive,
            remove: this.#remove,
        };
    }
}
const newestFirst = (a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
