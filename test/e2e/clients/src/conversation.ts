import assert from "node:assert/strict";
import type { CallPartsFragment, MessagePartsFragment, MessageStreamSubscription } from "./generated.js";

export type MessageEvent = MessageStreamSubscription["messageStream"];

/** The messages of a conversation, rebuilt from its stream events by offset alone. */
export class ConversationState {
  readonly messages = new Map<string, MessagePartsFragment>();
  /** The cursor of the last event applied. */
  cursor: string | undefined;
  /** The number of deltas applied. */
  deltas = 0;
  /** The statuses that each tool call has had, by its id. */
  readonly callStates = new Map<string, string[]>();

  apply(event: MessageEvent) {
    switch (event.__typename) {
      case "MessageAdded":
        this.messages.set(event.message.id, event.message);
        event.message.toolCalls.forEach((call) => this.#recordStatus(call));
        break;
      case "MessageDelta": {
        const message = this.message(event.messageId);
        assert.ok(event.offset <= message.content.length, `gap: offset ${event.offset} after ${message.content.length}`);
        this.messages.set(message.id, { ...message, content: message.content.slice(0, event.offset) + event.text });
        this.deltas++;
        break;
      }
      case "ToolCallChanged": {
        const message = this.message(event.messageId);
        const others = message.toolCalls.filter((call) => call.id !== event.toolCall.id);
        this.messages.set(message.id, { ...message, toolCalls: [...others, event.toolCall] });
        this.#recordStatus(event.toolCall);
        break;
      }
      case "MessageFinished": {
        // The streamed message must equal the final one.
        const { content, toolCalls } = this.message(event.message.id);
        assert.equal(content, event.message.content);
        assert.deepEqual(toolCalls, event.message.toolCalls);
        this.messages.set(event.message.id, event.message);
      }
    }
    this.cursor = event.cursor;
  }

  /** Returns a message that a MessageAdded event has delivered. */
  message(id: string): MessagePartsFragment {
    const message = this.messages.get(id);
    assert.ok(message, `${id} was not added`);
    return message;
  }

  #recordStatus(call: CallPartsFragment) {
    const states = this.callStates.get(call.id) ?? [];
    if (states.at(-1) !== call.status) this.callStates.set(call.id, [...states, call.status]);
  }
}
