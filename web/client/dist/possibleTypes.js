export const possibleTypes = {
    MessageEvent: ["MessageAdded", "MessageDelta", "ToolCallChanged", "MessageFinished"],
    Node: ["Conversation", "Message", "Task", "TaskChange", "ToolCall", "User"],
};
