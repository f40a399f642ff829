/** How to resume a subscription. */
export interface Resumable<D> {
    /** The document, with `$after` and `cursor` added where they were missing. */
    readonly document: D;
    /** Name of the variable that is passed as `after`. */
    readonly variable: string;
    /** Reads the cursor of an event from the response's `data`. */
    readonly cursor: (data: unknown) => string | undefined;
}
/**
 * Prepares a subscription document: declares the variable `$after`, passes it to the stream and selects the event's
 * `cursor`, unless the document does so already. Returns null for queries and mutations. The result is cached.
 */
export declare function resumable<D extends object>(document: D): Resumable<D> | null;
/**
 * Reads from a subscription's text what `resumable` reads from a document; null for queries and mutations. The text is
 * not changed: it must declare `$after` and select `cursor`.
 */
export declare function resumableText(query: string): Omit<Resumable<string>, "document"> | null;
