import { toErrandError, type Conversation, type Errand } from "@errand/client";
import { conversationsQuery, conversationSubscription, deleteMutation, updateMutation } from "./documents.js";
import { ListStore, type Page } from "./list.js";
import type { ConversationFilter, Conversations } from "./types.js";

type ConversationEvent =
  | { __typename: "ConversationChanged"; cursor: string; conversation: Conversation }
  | { __typename: "ConversationDeleted"; cursor: string; deletedId: string }
  | { __typename: "ConversationsReset"; cursor: string };

/** The state of the list of conversations. */
export class ConversationStore extends ListStore<Conversations, Conversation, ConversationEvent> {
  /** Null for deleted ones, which a page that is on its way may still hold. */
  #conversations = new Map<string, Conversation | null>();
  /** Ids that events and own changes touched while a page was on its way: they are newer than the page. */
  #touched = new Set<string>();
  /** Changes that are not stored yet, by id: a conversation with its new title, or null for a deletion. */
  #changes = new Map<string, Partial<Conversation> | null>();
  #last: string | undefined;
  #reload: ReturnType<typeof setTimeout> | undefined;

  constructor(
    errand: Errand,
    pageSize: number,
    private readonly filter: ConversationFilter,
  ) {
    super(errand, pageSize, conversationSubscription);
  }

  protected override stop(): void {
    clearTimeout(this.#reload);
    this.#reload = undefined;
    super.stop();
  }

  protected apply(event: ConversationEvent): void {
    if (event.__typename === "ConversationsReset") void this.refresh();
    else if (event.__typename === "ConversationDeleted") this.#set(event.deletedId, null);
    else this.#store(event.conversation);
  }

  /** Adds or replaces a conversation, or removes it if the list does not hold it any more. */
  #store(conversation: Conversation): void {
    const { id } = conversation;
    const fits = !!conversation.archivedAt === !!this.filter.archived;
    if (!fits) this.#set(id, null);
    else if (!this.filter.search) this.#set(id, conversation);
    else {
      // Only the server knows whether the words are found.
      if (this.#conversations.get(id)) this.#conversations.set(id, conversation);
      this.#reload ??= setTimeout(() => void ((this.#reload = undefined), this.refresh()), 300);
    }
  }

  #set(id: string, conversation: Conversation | null): void {
    this.#conversations.set(id, conversation);
    this.#touched.add(id);
  }

  protected size(): number {
    return this.#conversations.size;
  }

  protected async query(first: number, after: string | null): Promise<Page<Conversation>> {
    this.#touched.clear();
    const data = await this.errand.query<{ conversations: Page<Conversation> }>(conversationsQuery, {
      first,
      after,
      filter: this.filter,
    });
    return data.conversations;
  }

  protected add({ nodes }: Page<Conversation>, isFirst: boolean): void {
    const present = new Map(nodes.map((c) => [c.id, c]));
    const last = nodes.at(-1);
    this.#last = last?.id;
    for (const [id, c] of present) if (!this.#touched.has(id)) this.#conversations.set(id, c);
    if (!isFirst) return;
    // What is in the range of the page and not on it has been deleted.
    for (const [id, c] of this.#conversations) {
      const inRange = c && (!this.hasMore || (last && newestFirst(c, last) <= 0));
      if (inRange && !present.has(id) && !this.#touched.has(id)) this.#conversations.delete(id);
    }
  }

  /** Shows a change at once, sends it, and takes it back if that fails. */
  async #change(id: string, change: Partial<Conversation> | null, send: () => Promise<Conversation | null>): Promise<void> {
    this.#changes.set(id, change);
    this.error = null;
    this.changed();
    try {
      const conversation = await send();
      if (conversation) this.#store(conversation);
      else this.#set(id, null);
    } catch (thrown) {
      this.error = toErrandError(thrown);
    }
    if (this.#changes.get(id) === change) this.#changes.delete(id);
    this.changed();
  }

  async #update(input: { id: string; title?: string | null; archived?: boolean }): Promise<Conversation> {
    const { updateConversation } = await this.errand.mutate(updateMutation, { input }, { retry: true });
    return updateConversation.conversation;
  }

  readonly #rename = (id: string, title: string | null) =>
    this.#change(id, { title: title ?? "" }, () => this.#update({ id, title }));

  readonly #archive = (id: string, archived = true) =>
    this.#change(id, archived === !!this.filter.archived ? {} : null, () => this.#update({ id, archived }));

  readonly #remove = (id: string) =>
    this.#change(id, null, async () => {
      await this.errand.mutate(deleteMutation, { id });
      return null;
    });

  protected render(): Conversations {
    const last = this.hasMore && this.#last ? this.#conversations.get(this.#last) : undefined;
    const list: Conversation[] = [];
    for (const [id, conversation] of this.#conversations) {
      const change = this.#changes.get(id);
      // Conversations after the last page are shown when their page is loaded.
      if (!conversation || change === null || (last && newestFirst(conversation, last) > 0)) continue;
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

/** Ids are ordered by time. */
const newestFirst = (a: Conversation, b: Conversation): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
