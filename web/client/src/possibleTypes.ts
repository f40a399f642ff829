/** The types of each interface, for the caches of Apollo Client and urql. */
export const possibleTypes = {
  MessageEvent: ["MessageAdded", "MessageDelta", "ToolCallChanged", "MessageFinished"],
  Node: ["Conversation", "Message", "Task", "TaskChange", "ToolCall", "User"],
};
