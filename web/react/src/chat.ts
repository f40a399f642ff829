import {
  emptyConversation,
  ErrandError,
  isFinished,
  mergeMessages,
  reduceConversation,
  retryAfterMs,
  toErrandError,
  type ConversationState,
  type Errand,
  type MessageEvent,
  type ToolCall,
} from "@errand/client";
import {
  cancelMutation,
  decisions,
  messagesQuery,
  messageSubscription,
  retryMutation,
  sendMutation,
  undoMutation,
} from "./documents.js";
import { randomKey, Store } from "./store.js";
import type { Chat, ChatChange, ChatMessage, ChatStatus, Outbox, Undone } from "./types.js";

/** A message of the user that is not stored yet. */
interface Unsent {
  /** Idempotency key. */
  key: string;
  message: ChatMessage;
  /** Highest position when it was sent; null if the messages were not loaded then. */
  after: number | null;
  /** Whether the stream has delivered it, or a message that looks the same, before the mutation's result. */
  delivered?: boolean;
  error?: ErrandError;
}

/** A message in the outbox. */
interface Waiting {
  key: string;
  content: string;
  after: number | null;
}

interface Page {
  conversation: {
    messages: { nodes: ChatMessage[]; pageInfo: { hasPreviousPage: boolean; startCursor: string | null } };
  } | null;
}

interface Decision {
  toolCalls: (Partial<ToolCall> & { message: { id: string } })[];
  assistantMessage: Omit<ChatMessage, "toolCalls"> | null;
}

interface Undo {
  batchId: string | null;
  undone: { id: string; undoes: string | null }[];
  skipped: { reason: string; change: { task: { number: number; title: string } } }[];
}

/** The state of one chat. */
export class ChatStore extends Store<Chat> {
  onConversation: ((id: string) => void) | undefined;
  conversationId: string | undefined;
  #state: ConversationState<ChatMessage> = emptyConversation;
  #unsent: Unsent[] = [];
  #error: ErrandError | null = null;
  #loaded = false;
  #loading: Promise<unknown> | undefined;
  #older: Promise<unknown> | undefined;
  #before: string | null = null;
  #hasOlder = false;
  #unsubscribe: (() => void) | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly errand: Errand,
    conversationId: string | undefined,
    private readonly pageSize: number,
    private readonly outbox?: Outbox,
  ) {
    super();
    this.conversationId = conversationId;
  }

  protected start(): void {
    this.#resume();
    if (!this.conversationId) return;
    this.#open();
    if (!this.#loaded) this.#load();
  }

  protected stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #open(): void {
    this.#unsubscribe?.();
    const { conversationId } = this;
    if (!this.active || !conversationId) return;
    const variables = { conversationId, after: this.#state.cursor };
    this.#unsubscribe = this.errand.subscribe(messageSubscription, variables, {
      next: ({ messageStream }: { messageStream: MessageEvent<ChatMessage> }) => this.#receive(messageStream),
      reset: () => this.#load(),
      error: (error) => this.#fail(error),
      complete: () => {},
    });
  }

  #receive(event: MessageEvent<ChatMessage>): void {
    this.#state = reduceConversation(this.#state, event);
    if (this.#state.gap) {
      this.#state = { ...this.#state, gap: false };
      this.#open();
    }
    this.#hideDelivered();
    if (event.__typename === "MessageFinished") this.#markUndone(event.message.changes);
    if (event.__typename === "MessageAdded" && holeAfter(this.#state.messages) > 0) this.#load();
    this.changed();
  }

  /** Loads the newest page. A load that is in progress may have missed what this one is for, and is repeated. */
  #load(): void {
    const load = () =>
      this.persist(async () => {
        const page = await this.#page(null);
        this.#merge(page.nodes);
        const hole = holeAfter(this.#state.messages);
        if (!this.#loaded || hole > 0) {
          // Older messages are loaded again from the start of this page.
          this.#state = { ...this.#state, messages: this.#state.messages.slice(hole) };
          this.#hasOlder = page.pageInfo.hasPreviousPage;
          this.#before = page.pageInfo.startCursor;
        }
        this.#loaded = true;
        this.#error = null;
      }, (error) => this.#fail(error));
    const next = (this.#loading ? this.#loading.then(load) : load()).finally(() => {
      if (this.#loading !== next) return;
      this.#loading = undefined;
      this.changed();
    });
    this.#loading = next;
    this.changed();
  }

  async #page(before: string | null) {
    const variables = { id: this.conversationId, last: this.pageSize, before };
    const { conversation } = await this.errand.query<Page>(messagesQuery, variables);
    if (!conversation) throw new ErrandError("NOT_FOUND", "No such conversation.");
    return conversation.messages;
  }

  #merge(messages: readonly ChatMessage[]): void {
    const calls = new Map(this.#state.messages.flatMap((m) => m.toolCalls).map((call) => [call.id, call]));
    // A page has no proposals and no choices.
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

  /**
   * Hides the messages being sent that the stream has delivered before the mutation's result. They are sent all the same:
   * what looks like them may be another tab's.
   */
  #hideDelivered(): void {
    const taken = new Set<string>();
    this.#unsent = this.#unsent.map((unsent) => {
      const { after, message } = unsent;
      if (after === null) return unsent;
      const stored = this.#state.messages.find(
        (m) => m.role === "USER" && m.position > after && m.content === message.content && !taken.has(m.id),
      );
      if (stored) taken.add(stored.id);
      return { ...unsent, delivered: stored !== undefined };
    });
  }

  get #outboxName(): string {
    return `outbox:${this.conversationId ?? "new"}`;
  }

  /** Keeps the messages that a reload would lose. */
  #keep(): void {
    const waiting = this.#unsent
      .filter((u) => !u.error || u.error.code === "UNAUTHENTICATED" || retryAfterMs(u.error) !== undefined)
      .map(({ key, message: { content }, after }): Waiting => ({ key, content, after }));
    if (waiting.length > 0) this.outbox?.setItem(this.#outboxName, JSON.stringify(waiting));
    else this.outbox?.removeItem(this.#outboxName);
  }

  /** Sends the messages that were not stored when the chat was last shown. */
  #resume(): void {
    let waiting: Waiting[] = [];
    try {
      waiting = JSON.parse(this.outbox?.getItem(this.#outboxName) ?? "[]") as Waiting[];
    } catch {
      return; // of another version
    }
    const known = new Set(this.#unsent.map((u) => u.key));
    for (const { key, content, after } of waiting) if (!known.has(key)) void this.#enqueue(key, content, after);
  }

  #fail(error: ErrandError): void {
    this.#error = error;
    this.changed();
  }

  readonly #send = async (content: string): Promise<boolean> => {
    const text = content.trim();
    if (!text) return false;
    this.#error = null;
    return this.#enqueue(randomKey(), text, this.#loaded || !this.conversationId ? this.#highest() : null);
  };

  #highest(): number {
    return this.#state.messages.at(-1)?.position ?? 0;
  }

  /** Shows a message, and sends it after those before it. */
  #enqueue(key: string, content: string, after: number | null): Promise<boolean> {
    const message: ChatMessage = {
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

  /** Sends an unsent message after those before it. */
  #deliver(key: string): Promise<boolean> {
    const sent = this.#sending.then(async () => {
      const unsent = this.#unsent.find((u) => u.key === key);
      if (!unsent) return true;
      try {
        const input = { conversationId: this.conversationId, content: unsent.message.content, idempotencyKey: key };
        const { sendMessage } = await this.errand.mutate(sendMutation, { input }, { retry: true });
        this.#forget(key);
        this.#merge([sendMessage.userMessage, sendMessage.assistantMessage]);
        if (!this.conversationId) {
          this.outbox?.removeItem(this.#outboxName);
          this.conversationId = sendMessage.conversation.id as string;
          this.#keep();
          this.#loaded = true;
          this.#open();
          this.onConversation?.(this.conversationId);
        }
        this.changed();
        return true;
      } catch (thrown) {
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

  /** Marks the changes that the given ones undo, or, if those were undos, redo. */
  #markUndone(undos: readonly Pick<ChatChange, "id" | "undoes">[]): void {
    const known = new Map(this.#state.messages.flatMap((m) => m.changes).map((c) => [c.id, c]));
    const undone = new Map<string, boolean>();
    for (const { undoes } of undos) {
      if (!undoes) continue;
      undone.set(undoes, true);
      const original = known.get(undoes)?.undoes;
      if (original) undone.set(original, false);
    }
    this.#setUndone(undone);
  }

  #setUndone(undone: ReadonlyMap<string, boolean>): void {
    const messages = this.#state.messages.map((m) => {
      if (!m.changes.some((c) => undone.has(c.id))) return m;
      return { ...m, changes: m.changes.map((c) => ({ ...c, undone: undone.get(c.id) ?? c.undone })) };
    });
    this.#state = { ...this.#state, messages };
  }

  #forget(key: string): void {
    this.#unsent = this.#unsent.filter((u) => u.key !== key);
    this.#keep();
  }

  #setUnsent(key: string, state: "sending" | "failed", error?: ErrandError): void {
    this.#unsent = this.#unsent.map((u) => {
      if (u.key !== key) return u;
      return { key, after: u.after, message: { ...u.message, unsent: state }, ...(error && { error }) };
    });
    this.#keep();
    this.changed();
  }

  readonly #stop = async (): Promise<void> => {
    await this.#sending; // its reply is to be cancelled
    const unfinished = this.#state.messages.filter((m) => !isFinished(m.status));
    await this.#attempt(async () => {
      for (const { id } of unfinished.reverse()) await this.#cancelReply(id);
    });
  };

  async #cancelReply(messageId: string): Promise<void> {
    const { cancelReply } = await this.errand.mutate(cancelMutation, { messageId }, { retry: true });
    this.#merge([cancelReply.message]);
  }

  readonly #cancel = async (messageId: string): Promise<void> => {
    await this.#attempt(() => this.#cancelReply(messageId));
  };

  readonly #retry = async (): Promise<void> => {
    this.#error = null;
    const failed = this.#unsent.filter((u) => u.error);
    if (failed.length > 0) {
      for (const { key } of failed) this.#setUnsent(key, "sending");
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
    if (this.active) this.start();
    this.changed();
  };

  readonly #loadOlder = async (): Promise<void> => {
    if (!this.#hasOlder) return;
    this.#older ??= this.#attempt(async () => {
      const page = await this.#page(this.#before);
      this.#hasOlder = page.pageInfo.hasPreviousPage;
      this.#before = page.pageInfo.startCursor;
      this.#merge(page.nodes);
    }).finally(() => (this.#older = undefined));
    await this.#older;
  };

  /** Repeating a decision or an undo has no further effect. */
  readonly #decide = (field: keyof typeof decisions) => (ids: readonly string[]) => {
    this.#error = null;
    return this.#attempt(async () => {
      const data = await this.errand.mutate<Record<string, Decision>>(decisions[field], { ids }, { retry: true });
      const { toolCalls, assistantMessage } = data[field]!;
      for (const { message, ...toolCall } of toolCalls) this.#replaceCall(message.id, toolCall);
      if (assistantMessage) this.#merge([{ ...assistantMessage, toolCalls: [] }]);
    });
  };

  readonly #approve = this.#decide("approveToolCalls");
  readonly #reject = this.#decide("rejectToolCalls");

  /** Shows a decided call before its event arrives. */
  #replaceCall(messageId: string, decided: Partial<ToolCall>): void {
    const { cursor } = this.#state;
    const call = this.#state.messages.find((m) => m.id === messageId)?.toolCalls.find((c) => c.id === decided.id);
    if (!call) return;
    const toolCall = { ...call, ...decided };
    const event = { __typename: "ToolCallChanged" as const, cursor: cursor ?? "", messageId, toolCall };
    this.#state = { ...reduceConversation(this.#state, event), cursor };
  }

  readonly #undo = async (id: string): Promise<Undone | undefined> => {
    let result: Undone | undefined;
    this.#error = null;
    await this.#attempt(async () => {
      const { undoChange } = await this.errand.mutate<{ undoChange: Undo }>(undoMutation, { id }, { retry: true });
      const { batchId, undone, skipped } = undoChange;
      // What is undone may be an undo: then the change that it undid is in effect again.
      this.#setUndone(new Map(undone.flatMap((c) => [[c.id, true], ...(c.undoes ? [[c.undoes, false]] : [])] as [string, boolean][])));
      result = { batchId, count: undone.length, skipped: skipped.map((s) => ({ ...s.change.task, reason: s.reason })) };
    });
    return result;
  };

  /** Resolves with whether the action succeeded. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.changed();
      return true;
    } catch (thrown) {
      this.#fail(toErrandError(thrown));
      return false;
    }
  }

  protected render(): Chat {
    const stored = this.#state.messages;
    const last = stored.at(-1);
    const error =
      this.#error ??
      this.#unsent.find((u) => u.error)?.error ??
      (last?.status === "FAILED" ? toErrandError(last.error ?? { code: "INTERNAL_SERVER_ERROR" }) : null);
    let status: ChatStatus = error ? "error" : "ready";
    if (this.#unsent.some((u) => !u.error) || stored.some((m) => m.status === "PENDING")) status = "submitted";
    if (stored.some((m) => m.status === "STREAMING")) status = "streaming";
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

/** Index of the message after the last hole in the positions; 0 without one. */
function holeAfter(messages: readonly ChatMessage[]): number {
  for (let i = messages.length - 1; i > 0; i--) if (messages[i]!.position !== messages[i - 1]!.position + 1) return i;
  return 0;
}
