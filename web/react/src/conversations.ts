import { toErrandError, type Conversation, type Errand, type ErrandError } from "@errand/client";
import { conversationsQuery, conversationSubscription, deleteMutation, renameMutation } from "./documents.js";
import { Store } from "./store.js";
import type { Conversations } from "./types.js";

type ConversationEvent =
  | { __typename: "ConversationChanged"; cursor: string; conversation: Conversation & { archivedAt: string | null } }
  | { __typename: "ConversationDeleted"; cursor: string; deletedId: string }
  | { __typename: "ConversationsReset"; cursor: string };

interface Page {
  conversations: { nodes: Conversation[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** The state of the list of conversations. */
export class ConversationStore extends Store<Conversations> {
  /** Null for deleted ones, which a page that is on its way may still hold. */
  #conversations = new Map<string, Conversation | null>();
  /** Ids that events and own changes touched while a page was on its way: they are newer than the page. */
  #touched = new Set<string>();
  /** Changes that are not stored yet, by id: a conversation with its new title, or null for a deletion. */
  #changes = new Map<string, Partial<Conversation> | null>();
  #last: string | undefined;
  #cursor: string | null = null;
  #error: ErrandError | null = null;
  #loaded = false;
  #after: string | null = null;
  #hasMore = false;
  #more: Promise<void> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly errand: Errand,
    private readonly pageSize: number,
  ) {
    super();
  }

  protected start(): void {
    // Subscribe first: what changes while the page is loaded arrives as an event.
    this.#unsubscribe = this.errand.subscribe(conversationSubscription, { after: this.#cursor }, {
      next: ({ conversationStream }: { conversationStream: ConversationEvent }) => this.#receive(conversationStream),
      reset: () => void this.#load(),
      error: (error) => this.#fail(error),
    });
    if (!this.#loaded || !this.#cursor) void this.#load();
  }

  protected stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #receive(event: ConversationEvent): void {
    this.#cursor = event.cursor;
    if (event.__typename === "ConversationsReset") void this.#load();
    else if (event.__typename === "ConversationDeleted") this.#set(event.deletedId, null);
    // The list holds the conversations that are not archived.
    else this.#set(event.conversation.id, event.conversation.archivedAt ? null : event.conversation);
    this.changed();
  }

  #set(id: string, conversation: Conversation | null): void {
    this.#conversations.set(id, conversation);
    this.#touched.add(id);
  }

  readonly #load = async (): Promise<void> => {
    await this.persist(async () => {
      this.#touched.clear();
      const page = await this.#page(Math.min(100, Math.max(this.pageSize, this.#conversations.size)), null);
      // What is in the range of the page and not on it has been deleted.
      const present = new Set(page.nodes.map((c) => c.id));
      const last = page.nodes.at(-1);
      for (const [id, c] of this.#conversations) {
        const inRange = c && (!page.pageInfo.hasNextPage || (last && newestFirst(c, last) <= 0));
        if (inRange && !present.has(id) && !this.#touched.has(id)) this.#conversations.delete(id);
      }
      this.#loaded = true;
      this.#error = null;
    }, (error) => this.#fail(error));
    this.changed();
  };

  async #page(first: number, after: string | null) {
    const { conversations } = await this.errand.query<Page>(conversationsQuery, { first, after });
    for (const c of conversations.nodes) if (!this.#touched.has(c.id)) this.#conversations.set(c.id, c);
    this.#hasMore = conversations.pageInfo.hasNextPage;
    this.#after = conversations.pageInfo.endCursor;
    this.#last = conversations.nodes.at(-1)?.id;
    return conversations;
  }

  readonly #loadMore = async (): Promise<void> => {
    if (!this.#hasMore) return;
    const load = async () => {
      try {
        this.#touched.clear();
        await this.#page(this.pageSize, this.#after);
        this.changed();
      } catch (thrown) {
        this.#fail(toErrandError(thrown));
      }
    };
    await (this.#more ??= load().finally(() => (this.#more = undefined)));
  };

  #fail(error: ErrandError): void {
    this.#error = error;
    this.changed();
  }

  /** Shows a change at once, sends it, and takes it back if that fails. */
  async #change(id: string, change: Partial<Conversation> | null, send: () => Promise<Conversation | null>): Promise<void> {
    this.#changes.set(id, change);
    this.#error = null;
    this.changed();
    try {
      this.#set(id, await send());
    } catch (thrown) {
      this.#error = toErrandError(thrown);
    }
    if (this.#changes.get(id) === change) this.#changes.delete(id);
    this.changed();
  }

  readonly #rename = (id: string, title: string | null) =>
    this.#change(id, { title: title ?? "" }, async () => {
      const { updateConversation } = await this.errand.mutate(renameMutation, { input: { id, title } }, { retry: true });
      return updateConversation.conversation;
    });

  readonly #remove = (id: string) =>
    this.#change(id, null, async () => {
      await this.errand.mutate(deleteMutation, { id });
      return null;
    });

  protected render(): Conversations {
    const last = this.#hasMore && this.#last ? this.#conversations.get(this.#last) : undefined;
    const list: Conversation[] = [];
    for (const [id, conversation] of this.#conversations) {
      const change = this.#changes.get(id);
      // Conversations after the last page are shown when their page is loaded.
      if (!conversation || change === null || (last && newestFirst(conversation, last) > 0)) continue;
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

/** Ids are ordered by time. */
const newestFirst = (a: Conversation, b: Conversation): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
