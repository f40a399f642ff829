export const possibleTypes = {
    ConversationEvent: ["ConversationChanged", "ConversationDeleted", "ConversationsReset"],
    MessageEvent: ["MessageAdded", "MessageDelta", "ToolCallChanged", "MessageFinished"],
    Node: ["Conversation", "Message", "Task", "TaskChange", "ToolCall", "User"],
};
