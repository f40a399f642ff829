import type { Message, MessageEvent, MessageLike } from "./types.js";
/** The messages of a conversation as its stream has delivered them. */
export interface ConversationState<M extends MessageLike = Message> {
    /** In the order of arrival, which is the order of the conversation. */
    readonly messages: readonly M[];
    /** Cursor of the last event applied: pass it as `after` to continue from here. */
    readonly cursor: string | null;
    /**
     * Whether an event is missing. The cursor then stays before it: subscribe again with it as `after`, and continue from
     * `{ ...state, gap: false }`.
     */
    readonly gap: boolean;
}
/** The state before the first event. */
export declare const emptyConversation: ConversationState<never>;
/** Whether a status is terminal: COMPLETED, FAILED or CANCELLED. */
export declare const isFinished: (status: MessageLike["status"]) => boolean;
/**
 * Applies an event of `messageStream` and returns the new state; the old one stays as it is. Events that were applied
 * before have no effect, so that a stream may be resumed, or received twice, at any time. After MessageFinished of a
 * reply the state holds the stored text.
 */
export declare function reduceConversation<M extends MessageLike>(state: ConversationState<M>, event: MessageEvent<M>): ConversationState<M>;
/**
 * Adds messages from a query, such as a page of older ones. A message that the stream has brought further keeps its
 * newer text. Messages are ordered by `position`, which the query and the stream must then select.
 */
export declare function mergeMessages<M extends MessageLike & {
    position: number;
}>(state: ConversationState<M>, messages: readonly M[]): ConversationState<M>;
