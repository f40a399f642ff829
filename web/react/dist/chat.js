import { emptyConversation, ErrandError, isFinished, mergeMessages, reduceConversation, toErrandError, } from "@errand/client";
import { cancelMutation, decisions, messagesQuery, messageSubscription, retryMutation, sendMutation, undoMutation, } from "./documents.js";
import { randomKey, Store } from "./store.js";
export class ChatStore extends Store {
    errand;
    pageSize;
    onConversation;
    conversationId;
    #state = emptyConversation;
    #unsent = [];
    #error = null;
    #loaded = false;
    #loading;
    #older;
    #before = null;
    #hasOlder = false;
    #unsubscribe;
    #sending = Promise.resolve();
    constructor(errand, conversationId, pageSize) {
        super();
        this.errand = errand;
        this.pageSize = pageSize;
        this.conversationId = conversationId;
    }
    start() {
        if (!this.conversationId)
            return;
        this.#open();
        if (!this.#loaded)
            this.#load();
    }
    stop() {
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
    }
    #open() {
        this.#unsubscribe?.();
        const { conversationId } = this;
        if (!this.active || !conversationId)
            return;
        const variables = { conversationId, after: this.#state.cursor };
        this.#unsubscribe = this.errand.subscribe(messageSubscription, variables, {
            next: ({ messageStream }) => this.#receive(messageStream),
            reset: () => this.#load(),
            error: (error) => this.#fail(error),
            complete: () => { },
        });
    }
    #receive(event) {
        this.#state = reduceConversation(this.#state, event);
        if (this.#state.gap) {
            this.#state = { ...this.#state, gap: false };
            this.#open();
        }
        this.#forgetStored();
        if (event.__typename === "MessageAdded" && holeAfter(this.#state.messages) > 0)
            this.#load();
        this.changed();
    }
    #load() {
        const load = () => this.persist(async () => {
            const page = await this.#page(null);
            this.#merge(page.nodes);
            const hole = holeAfter(this.#state.messages);
            if (!this.#loaded || hole > 0) {
                this.#state = { ...this.#state, messages: this.#state.messages.slice(hole) };
                this.#hasOlder = page.pageInfo.hasPreviousPage;
                this.#before = page.pageInfo.startCursor;
            }
            this.#loaded = true;
            this.#error = null;
        }, (error) => this.#fail(error));
        const next = (this.#loading ? this.#loading.then(load) : load()).finally(() => {
            if (this.#loading !== next)
                return;
            this.#loading = undefined;
            this.changed();
        });
        this.#loading = next;
        this.changed();
    }
    async #page(before) {
        const variables = { id: this.conversationId, last: this.pageSize, before };
        const { conversation } = await this.errand.query(messagesQuery, variables);
        if (!conversation)
            throw new ErrandError("NOT_FOUND", "No such conversation.");
        return conversation.messages;
    }
    #merge(messages) {
        const calls = new Map(this.#state.messages.flatMap((m) => m.toolCalls).map((call) => [call.id, call]));
        const complete = messages.map((m) => ({
            ...m,
            toolCalls: m.toolCalls.map((call) => ({ ...call, proposal: call.proposal ?? calls.get(call.id)?.proposal ?? [] })),
        }));
        this.#state = mergeMessages(this.#state, complete);
        this.#forgetStored();
    }
    #forgetStored() {
        const taken = new Set();
        this.#unsent = this.#unsent.filter((unsent) => {
            const stored = this.#state.messages.find((m) => m.role === "USER" && m.position > unsent.after && m.content === unsent.message.content && !taken.has(m.id));
            if (stored)
                taken.add(stored.id);
            return !stored;
        });
    }
    #fail(error) {
        this.#error = error;
        this.changed();
    }
    #send = async (content) => {
        const text = content.trim();
        if (!text)
            return false;
        const key = randomKey();
        const after = this.#state.messages.at(-1)?.position ?? 0;
        const message = {
            id: `unsent:${key}`,
            position: after + this.#unsent.length + 1,
            role: "USER",
            content: text,
            status: "COMPLETED",
            error: null,
            toolCalls: [],
            changes: [],
            createdAt: new Date().toISOString(),
            unsent: "sending",
        };
        this.#unsent = [...this.#unsent, { key, message, after }];
        this.#error = null;
        this.changed();
        return this.#deliver(key);
    };
    #deliver(key) {
        const sent = this.#sending.then(async () => {
            const unsent = this.#unsent.find((u) => u.key === key);
            if (!unsent)
                return true;
            try {
                const input = { conversationId: this.conversationId, content: unsent.message.content, idempotencyKey: key };
                const { sendMessage } = await this.errand.mutate(sendMutation, { input }, { retry: true });
                this.#unsent = this.#unsent.filter((u) => u.key !== key);
                this.#merge([sendMessage.userMessage, sendMessage.assistantMessage]);
                if (!this.conversationId) {
                    this.conversationId = sendMessage.conversation.id;
                    this.#loaded = true;
                    this.#open();
                    this.onConversation?.(this.conversationId);
                }
                this.changed();
                return true;
            }
            catch (thrown) {
                const error = toErrandError(thrown);
                this.#setUnsent(key, "failed", error);
                return !this.#unsent.some((u) => u.key === key);
            }
        });
        this.#sending = sent;
        return sent;
    }
    #setUnsent(key, state, error) {
        this.#unsent = this.#unsent.map((u) => {
            if (u.key !== key)
                return u;
            return { key, after: u.after, message: { ...u.message, unsent: state }, ...(error && { error }) };
        });
        this.changed();
    }
    #stop = async () => {
        await this.#sending;
        const unfinished = this.#state.messages.filter((m) => !isFinished(m.status));
        await this.#attempt(async () => {
            for (const { id } of unfinished.reverse()) {
                const { cancelReply } = await this.errand.mutate(cancelMutation, { messageId: id }, { retry: true });
                this.#merge([cancelReply.message]);
            }
        });
    };
    #retry = async () => {
        this.#error = null;
        const failed = this.#unsent.filter((u) => u.error);
        if (failed.length > 0) {
            for (const { key } of failed)
                this.#setUnsent(key, "sending");
            await Promise.all(failed.map(({ key }) => this.#deliver(key)));
            return;
        }
        const last = this.#state.messages.at(-1);
        if (last?.role === "ASSISTANT" && (last.status === "FAILED" || last.status === "CANCELLED")) {
            await this.#attempt(async () => {
                const { retryReply } = await this.errand.mutate(retryMutation, { messageId: last.id }, { retry: true });
                this.#merge([retryReply.userMessage, retryReply.assistantMessage]);
            });
            return;
        }
        if (this.active)
            this.start();
        this.changed();
    };
    #loadOlder = async () => {
        if (!this.#hasOlder)
            return;
        this.#older ??= this.#attempt(async () => {
            const page = await this.#page(this.#before);
            this.#hasOlder = page.pageInfo.hasPreviousPage;
            this.#before = page.pageInfo.startCursor;
            this.#merge(page.nodes);
        }).finally(() => (this.#older = undefined));
        await this.#older;
    };
    #decide = (field) => (ids) => {
        this.#error = null;
        return this.#attempt(async () => {
            const data = await this.errand.mutate(decisions[field], { ids }, { retry: true });
            const { toolCalls, assistantMessage } = data[field];
            for (const { message, ...toolCall } of toolCalls)
                this.#replaceCall(message.id, toolCall);
            if (assistantMessage)
                this.#merge([{ ...assistantMessage, toolCalls: [] }]);
        });
    };
    #approve = this.#decide("approveToolCalls");
    #reject = this.#decide("rejectToolCalls");
    #replaceCall(messageId, decided) {
        const { cursor } = this.#state;
        const call = this.#state.messages.find((m) => m.id === messageId)?.toolCalls.find((c) => c.id === decided.id);
        if (!call)
            return;
        const toolCall = { ...call, ...decided };
        const event = { __typename: "ToolCallChanged", cursor: cursor ?? "", messageId, toolCall };
        this.#state = { ...reduceConversation(this.#state, event), cursor };
    }
    #undo = async (id) => {
        let result;
        this.#error = null;
        await this.#attempt(async () => {
            const { undoChange } = await this.errand.mutate(undoMutation, { id }, { retry: true });
            const { batchId, undone, skipped } = undoChange;
            result = { batchId, count: undone.length, skipped: skipped.map((s) => ({ ...s.change.task, reason: s.reason })) };
        });
        return result;
    };
    async #attempt(action) {
        try {
            await action();
            this.changed();
            return true;
        }
        catch (thrown) {
            this.#fail(toErrandError(thrown));
            return false;
        }
    }
    render() {
        const stored = this.#state.messages;
        const last = stored.at(-1);
        const error = this.#error ??
            this.#unsent.find((u) => u.error)?.error ??
            (last?.status === "FAILED" ? toErrandError(last.error ?? { code: "INTERNAL_SERVER_ERROR" }) : null);
        let status = error ? "error" : "ready";
        if (this.#unsent.some((u) => !u.error) || stored.some((m) => m.status === "PENDING"))
            status = "submitted";
        if (stored.some((m) => m.status === "STREAMING"))
            status = "streaming";
        return {
            conversationId: this.conversationId,
            messages: [...stored, ...this.#unsent.map((u) => u.message)],
            status,
            error,
            loading: this.conversationId !== undefined && !this.#loaded && !this.#error,
            send: this.#send,
            stop: this.#stop,
            retry: this.#retry,
            approve: this.#approve,
            reject: this.#reject,
            undo: this.#undo,
            hasOlder: this.#hasOlder,
            loadOlder: this.#loadOlder,
        };
    }
}
function holeAfter(messages) {
    for (let i = messages.length - 1; i > 0; i--)
        if (messages[i].position !== messages[i - 1].position + 1)
            return i;
    return 0;
}
