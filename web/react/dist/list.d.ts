import { type Errand, type ErrandError } from "@errand/client";
import { Store } from "./store.js";
import type { ListStatus } from "./types.js";
/** A page of a list. */
export interface Page<N> {
    /** Position of the list's stream before the page was read. */
    streamCursor: string;
    nodes: N[];
    pageInfo: {
        hasNextPage: boolean;
        endCursor: string | null;
    };
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
export declare abstract class ListStore<S extends ListParts, N, E extends {
    cursor: string;
}> extends Store<S> {
    #private;
    protected readonly errand: Errand;
    private readonly pageSize;
    private readonly subscription;
    protected error: ErrandError | null;
    protected hasMore: boolean;
    constructor(errand: Errand, pageSize: number, subscription: string);
    /** Number of items loaded. */
    protected abstract size(): number;
    /** Queries a page: the first one if `after` is null. */
    protected abstract query(first: number, after: string | null): Promise<Page<N>>;
    /** Adds a page to the list; the first one replaces the list. */
    protected abstract add(page: Page<N>, isFirst: boolean): void;
    /** Applies an event of the stream. */
    protected abstract apply(event: E): void;
    protected start(): void;
    protected stop(): void;
    readonly refresh: () => Promise<void>;
    protected parts(): ListParts;
}
export {};
