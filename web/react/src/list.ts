import { toErrandError, type Errand, type ErrandError } from "@errand/client";
import { Store } from "./store.js";
import type { ListStatus } from "./types.js";

/** Items that the server returns in one page at most. */
const largestPage = 100;

/** A page of a list. */
export interface Page<N> {
  /** Position of the list's stream before the page was read. */
  streamCursor: string;
  nodes: N[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** What all lists return. */
interface ListParts {
  status: ListStatus;
  error: ErrandError | null;
  hasMore: boolean;
  loadMore(count?: number): Promise<void>;
  refresh(): Promise<void>;
}

/** A list that is loaded in pages, and then follows its stream from the time of the first page. */
export abstract class ListStore<S extends ListParts, N, E extends { cursor: string }> extends Store<S> {
  protected error: ErrandError | null = null;
  protected hasMore = false;
  /** Cursor of the last event or, before the first one, of the first page. */
  #cursor: string | null = null;
  #loaded = false;
  #after: string | null = null;
  #more: Promise<void> | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    protected readonly errand: Errand,
    private readonly pageSize: number,
    private readonly subscription: string,
  ) {
    super();
  }

  /** Number of items loaded. */
  protected abstract size(): number;
  /** Queries a page: the first one if `after` is null. */
  protected abstract query(first: number, after: string | null): Promise<Page<N>>;
  /** Adds a page to the list; the first one replaces the list. */
  protected abstract add(page: Page<N>, isFirst: boolean): void;
  /** Applies an event of the stream. */
  protected abstract apply(event: E): void;

  protected start(): void {
    if (this.#loaded) this.#follow();
    else void this.refresh();
  }

  protected stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #follow(): void {
    if (!this.active || this.#unsubscribe) return;
    this.#unsubscribe = this.errand.subscribe<Record<string, E>>(this.subscription, { after: this.#cursor }, {
      next: (data) => {
        const event = Object.values(data)[0]!;
        this.#cursor = event.cursor;
        this.apply(event);
        this.changed();
      },
      reset: () => void this.refresh(),
      error: (error) => this.#fail(error),
    });
  }

  readonly refresh = async (): Promise<void> => {
    await this.persist(async () => {
      const page = await this.#page(Math.min(largestPage, Math.max(this.pageSize, this.size())), null);
      this.#cursor ??= page.streamCursor;
      this.#loaded = true;
      this.error = null;
      this.#follow();
    }, (error) => this.#fail(error));
    this.changed();
  };

  readonly #loadMore = async (count: number = this.pageSize): Promise<void> => {
    if (!this.hasMore) return;
    this.#more ??= this.#pages(count)
      .then(() => this.changed(), (thrown: unknown) => this.#fail(toErrandError(thrown)))
      .finally(() => (this.#more = undefined));
    await this.#more;
  };

  /** Loads at least `count` more items, in pages as large as the server allows. */
  async #pages(count: number): Promise<void> {
    for (let left = count; left > 0 && this.hasMore; left -= largestPage) {
      await this.#page(Math.min(left, largestPage), this.#after);
    }
  }

  async #page(first: number, after: string | null): Promise<Page<N>> {
    const page = await this.query(first, after);
    this.hasMore = page.pageInfo.hasNextPage;
    this.#after = page.pageInfo.endCursor;
    this.add(page, after === null);
    return page;
  }

  #fail(error: ErrandError): void {
    this.error = error;
    this.changed();
  }

  protected parts(): ListParts {
    return {
      status: this.#loaded ? "ready" : this.error ? "error" : "loading",
      error: this.error,
      hasMore: this.hasMore,
      loadMore: this.#loadMore,
      refresh: this.refresh,
    };
  }
}
