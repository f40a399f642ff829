import type { Message, MessageEvent, MessageLike, ToolCallLike } from "./types.js";

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
export const emptyConversation: ConversationState<never> = { messages: [], cursor: null, gap: false };

/** Whether a status is terminal: COMPLETED, FAILED or CANCELLED. */
export const isFinished = (status: MessageLike["status"]): boolean => status !== "PENDING" && status !== "STREAMING";

/**
 * Applies an event of `messageStream` and returns the new state; the old one stays as it is. Events that were applied
 * before have no effect, so that a stream may be resumed, or received twice, at any time. After MessageFinished of a
 * reply the state holds the stored text.
 */
export function reduceConversation<M extends MessageLike>(
  state: ConversationState<M>,
  event: MessageEvent<M>,
): ConversationState<M> {
  const id = "message" in event ? event.message.id : event.messageId;
  const index = state.messages.findIndex((m) => m.id === id);
  const message = applied(state.messages[index], event);
  if (!message) return { ...state, gap: true };
  return {
    messages: message === state.messages[index] ? state.messages : withMessage(state.messages, index, message),
    cursor: state.gap ? state.cursor : event.cursor,
    gap: state.gap,
  };
}

/**
 * Adds messages from a query, such as a page of older ones. A message that the stream has brought further keeps its
 * newer text. Messages are ordered by `position`, which the query and the stream must then select.
 */
export function mergeMessages<M extends MessageLike & { position: number }>(
  state: ConversationState<M>,
  messages: readonly M[],
): ConversationState<M> {
  const merged = new Map(state.messages.map((m) => [m.id, m]));
  for (const m of messages) {
    const old = merged.get(m.id);
    merged.set(m.id, old ? newer(old, m) : m);
  }
  return { ...state, messages: [...merged.values()].sort((a, b) => a.position - b.position) };
}

/** Returns the message after the event; undefined if an earlier event is missing. */
function applied<M extends MessageLike>(old: M | undefined, event: MessageEvent<M>): M | undefined {
  switch (event.__typename) {
    case "MessageAdded":
      return old ? newer(old, event.message) : event.message;
    case "MessageFinished":
      return event.message;
    case "MessageDelta":
      return old && withText(old, event.offset, event.text);
    case "ToolCallChanged":
      return old && withCall(old, event.toolCall);
    default:
      return old; // an event of a later version
  }
}

function withMessage<M>(messages: readonly M[], index: number, message: M): readonly M[] {
  return index < 0 ? [...messages, message] : messages.map((m, i) => (i === index ? message : m));
}

/** Chooses between the present message and another copy of it, which may be older. */
function newer<M extends MessageLike>(old: M, copy: M): M {
  if (isFinished(copy.status)) return copy;
  // A repeated copy of the same text. If its writer has started again, the next delta rewinds the text.
  return isFinished(old.status) || old.content.startsWith(copy.content) ? old : copy;
}

function withText<M extends MessageLike>(old: M, offset: number, text: string): M | undefined {
  if (isFinished(old.status)) return old; // the final text holds it
  if (offset > old.content.length) return undefined;
  // Text that is there already is a repetition. If it is a rewind, the next delta cuts what follows.
  const content = old.content.startsWith(text, offset) ? old.content : old.content.slice(0, offset) + text;
  return content === old.content && old.status === "STREAMING" ? old : { ...old, content, status: "STREAMING" };
}

const callRank = { STARTED: 0, AWAITING_APPROVAL: 1, SUCCEEDED: 2, FAILED: 2 };

/** Adds or replaces a tool call. A call of a finished reply may still change, when it was waiting for an approval. */
function withCall<M extends MessageLike>(old: M, call: ToolCallLike): M {
  const calls = old.toolCalls ?? [];
  const index = calls.findIndex((c) => c.id === call.id);
  if (index >= 0 && callRank[call.status] < callRank[calls[index]!.status]) return old;
  const status = old.status === "PENDING" ? "STREAMING" : old.status;
  return { ...old, status, toolCalls: withMessage(calls, index, call) };
}
