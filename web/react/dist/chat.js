import { emptyConversation, ErrandError, isFinished, mergeMessages, reduceConversation, retryAfterMs, toErrandError, } from "@errand/client";
import { cancelMutation, decisions, messagesQuery, messageSubscription, retryMutation, sendMutation, undoMutation, } from "./documents.js";
import { randomKey, Store } from "./store.js";
export class ChatStore extends Store {
    errand;
    pageSize;
    outbox;
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
    constructor(errand, conversationId, pageSize, outbox) {
        super();
        this.errand = errand;
        this.pageSize = pageSize;
        this.outbox = outbox;
        this.conversationId = conversationId;
    }
    start() {
        this.#resume();
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
        this.#hideDelivered();
        if (event.__typename === "MessageFinished")
            this.#markUndone(event.message.changes);
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
            toolCalls: m.toolCalls.map((call) => {
                const known = calls.get(call.id);
                const { proposal = known?.proposal ?? [], choices = known?.choices ?? [] } = call;
                return { ...call, proposal, choices };
            }),
        }));
        this.#state = mergeMessages(this.#state, complete);
        this.#hideDelivered();
    }
    #hideDelivered() {
        const taken = new Set();
        this.#unsent = this.#unsent.map((unsent) => {
            const { after, message } = unsent;
            if (after === null)
                return unsent;
            const stored = this.#state.messages.find((m) => m.role === "USER" && m.position > after && m.content === message.content && !taken.has(m.id));
            if (stored)
                taken.add(stored.id);
            return { ...unsent, delivered: stored !== undefined };
        });
    }
    get #outboxName() {
        return `outbox:${this.conversationId ?? "new"}`;
    }
    #keep() {
        const waiting = this.#unsent
            .filter((u) => !u.error || u.error.code === "UNAUTHENTICATED" || retryAfterMs(u.error) !== undefined)
            .map(({ key, message: { content }, after }) => ({ key, content, after }));
        if (waiting.length > 0)
            this.outbox?.setItem(this.#outboxName, JSON.stringify(waiting));
        else
            this.outbox?.removeItem(this.#outboxName);
    }
    #resume() {
        let waiting = [];
        try {
            waiting = JSON.parse(this.outbox?.getItem(this.#outboxName) ?? "[]");
        }
        catch {
            return;
        }
        const known = new Set(this.#unsent.map((u) => u.key));
        for (const { key, content, after } of waiting)
            if (!known.has(key))
                void this.#enqueue(key, content, after);
    }
    #fail(error) {
        this.#error = error;
        this.changed();
    }
    #send = async (content) => {
        const text = content.trim();
        if (!text)
            return false;
        this.#error = null;
        return this.#enqueue(randomKey(), text, this.#loaded || !this.conversationId ? this.#highest() : null);
    };
    #highest() {
        return this.#state.messages.at(-1)?.position ?? 0;
    }
    #enqueue(key, content, after) {
        const message = {
            id: `unsent:${key}`,
            position: this.#highest() + this.#unsent.length + 1,
            role: "USER",
            content,
            status: "COMPLETED",
            error: null,
            toolCalls: [],
            changes: [],
            createdAt: new Date().toISOString(),
            unsent: "sending",
        };
        this.#unsent = [...this.#unsent, { key, message, after }];
        this.#keep();
        this.changed();
        return this.#deliver(key);
    }
    #deliver(key) {
        const sent = this.#sending.then(async () => {
            const unsent = this.#unsent.find((u) => u.key === key);
            if (!unsent)
                return true;
            try {
                const input = { conversationId: this.conversationId, content: unsent.message.content, idempotencyKey: key };
                const { sendMessage } = await this.errand.mutate(sendMutation, { input }, { retry: true });
                this.#forget(key);
                this.#merge([sendMessage.userMessage, sendMessage.assistantMessage]);
                if (!this.conversationId) {
                    this.outbox?.removeItem(this.#outboxName);
                    this.conversationId = sendMessage.conversation.id;
                    this.#keep();
                    this.#loaded = true;
                    this.#open();
                    this.onConversation?.(this.conversationId);
                }
                this.changed();
                return true;
            }
            catch (thrown) {
                const error = toErrandError(thrown);
                if (this.#unsent.find((u) => u.key === key)?.delivered) {
                    this.#forget(key);
                    return true;
                }
                this.#setUnsent(key, "failed", error);
                return false;
            }
        });
        this.#sending = sent;
        return sent;
    }
    #markUndone(undos) {
        const known = new Map(this.#state.messages.flatMap((m) => m.changes).map((c) => [c.id, c]));
        const undone = new Map();
        for (const { undoes } of undos) {
            if (!undoes)
                continue;
            undone.set(undoes, true);
            const original = known.get(undoes)?.undoes;
            if (original)
                undone.set(original, false);
        }
        this.#setUndone(undone);
    }
    #setUndone(undone) {
        const messages = this.#state.messages.map((m) => {
            if (!m.changes.some((c) => undone.has(c.id)))
                return m;
            return { ...m, changes: m.changes.map((c) => ({ ...c, undone: undone.get(c.id) ?? c.undone })) };
        });
        this.#state = { ...this.#state, messages };
    }
    #forget(key) {
        this.#unsent = this.#unsent.filter((u) => u.key !== key);
        this.#keep();
    }
    #setUnsent(key, state, error) {
        this.#unsent = this.#unsent.map((u) => {
            if (u.key !== key)
                return u;
            return { key, after: u.after, message: { ...u.message, unsent: state }, ...(error && { error }) };
        });
        this.#keep();
        this.changed();
    }
    #stop = async () => {
        await this.#sending;
        const unfinished = this.#state.messages.filter((m) => !isFinished(m.status));
        await this.#attempt(async () => {
            for (const { id } of unfinished.reverse())
                await this.#cancelReply(id);
        });
    };
    async #cancelReply(messageId) {
        const { cancelReply } = await this.errand.mutate(cancelMutation, { messageId }, { retry: true });
        this.#merge([cancelReply.message]);
    }
    #cancel = async (messageId) => {
        await this.#attempt(() => this.#cancelReply(messageId));
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
            this.#setUndone(new Map(undone.flatMap((c) => [[c.id, true], ...(c.undoes ? [[c.undoes, false]] : [])])));
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
            messages: [...stored, ...this.#unsent.filter((u) => !u.delivered).map((u) => u.message)],
            status,
            error,
            loading: this.conversationId !== undefined && !this.#loaded && !this.#error,
            send: this.#send,
            stop: this.#stop,
            cancel: this.#cancel,
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
