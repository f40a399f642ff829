import assert from "node:assert/strict";
import type { CallPartsFragment, MessagePartsFragment, MessageStreamSubscription } from "./generated.js";

export type MessageEvent = MessageStreamSubscription["messageStream"];

/** A conversation on a screen: messages rebuilt from stream events by offsets alone. */
export class View {
  readonly messages = new Map<string, MessagePartsFragment>();
  /** The cursor of the last event applied. */
  cursor: string | undefined;
  /** Deltas applied. */
  deltas = 0;
  /** States in which each tool call was seen, by its id. */
  readonly callStates = new Map<string, string[]>();

  apply(event: MessageEvent) {
    switch (event.__typename) {
      case "MessageAdded":
        this.messages.set(event.message.id, event.message);
        event.message.toolCalls.forEach((call) => this.#saw(call));
        break;
      case "MessageDelta": {
        const message = this.message(event.messageId);
        assert.ok(event.offset <= message.content.length, `a gap: ${event.offset} after ${message.content.length}`);
        this.messages.set(message.id, { ...message, content: message.content.slice(0, event.offset) + event.text });
        this.deltas++;
        break;
      }
      case "ToolCallChanged": {
        const message = this.message(event.messageId);
        const others = message.toolCalls.filter((call) => call.id !== event.toolCall.id);
        this.messages.set(message.id, { ...message, toolCalls: [...others, event.toolCall] });
        this.#saw(event.toolCall);
        break;
      }
      case "MessageFinished": {
        // What was told in pieces must already be what is told in the end.
        const { content, toolCalls } = this.message(event.message.id);
        assert.equal(content, event.message.content);
        assert.deepEqual(toolCalls, event.message.toolCalls);
        this.messages.set(event.message.id, event.message);
      }
    }
    this.cursor = event.cursor;
  }

  /** A message that was announced. */
  message(id: string): MessagePartsFragment {
    const message = this.messages.get(id);
    assert.ok(message, `${id} was not announced`);
    return message;
  }

  #saw(call: CallPartsFragment) {
    const states = this.callStates.get(call.id) ?? [];
    if (states.at(-1) !== call.status) this.callStates.set(call.id, [...states, call.status]);
  }
}
