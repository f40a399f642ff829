/** Without proposals: a page of them would cost too much. Only the newest turn has open ones, and the stream brings it. */
export declare const messagesQuery = "query Messages($id: ID!, $last: Int!, $before: Cursor) {\n  conversation(id: $id) { messages(last: $last, before: $before) {\n    nodes {\n      id position role content status createdAt error { code message retryAt }\n      toolCalls { id name arguments result status latencyMs offset expiresAt }\n    }\n    pageInfo { hasPreviousPage startCursor }\n  } }\n}";
export declare const messageSubscription = "subscription MessageStream($conversationId: ID!, $after: Cursor) {\n  messageStream(conversationId: $conversationId, after: $after) {\n    __typename\n    cursor\n    ... on MessageAdded { message { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } }\n    ... on MessageDelta { messageId offset text }\n    ... on ToolCallChanged { messageId toolCall { ...CallParts } }\n    ... on MessageFinished { message { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } }\n  }\n}\nfragment CallParts on ToolCall {\n  id name arguments result status latencyMs offset expiresAt\n  proposal { taskId number title kind fields { name from to } }\n}";
export declare const sendMutation = "mutation Send($input: SendMessageInput!) {\n  sendMessage(input: $input) { conversation { id } userMessage { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } assistantMessage { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } }\n}\nfragment CallParts on ToolCall {\n  id name arguments result status latencyMs offset expiresAt\n  proposal { taskId number title kind fields { name from to } }\n}";
export declare const retryMutation = "mutation Retry($messageId: ID!) {\n  retryReply(messageId: $messageId) { userMessage { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } assistantMessage { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } }\n}\nfragment CallParts on ToolCall {\n  id name arguments result status latencyMs offset expiresAt\n  proposal { taskId number title kind fields { name from to } }\n}";
export declare const cancelMutation = "mutation Cancel($messageId: ID!) {\n  cancelReply(messageId: $messageId) { message { id position role content status createdAt\n  error { code message retryAt }\n  toolCalls { ...CallParts } } }\n}\nfragment CallParts on ToolCall {\n  id name arguments result status latencyMs offset expiresAt\n  proposal { taskId number title kind fields { name from to } }\n}";
export declare const decisions: {
    approveToolCalls: string;
    rejectToolCalls: string;
};
export declare const undoMutation = "mutation Undo($id: ID!) {\n  undoChange(id: $id) { batchId undone { id } skipped { reason change { task { number title } } } }\n}";
export declare const tasksQuery = "query Tasks($first: Int!, $after: Cursor, $orderBy: TaskOrder, $filter: TaskFilter) {\n  tasks(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {\n    streamCursor nodes { id number title description completed completedAt priority dueOn dueAt labels createdAt updatedAt deletedAt version } pageInfo { hasNextPage endCursor }\n  }\n}";
export declare const taskSubscription = "subscription TaskStream($after: Cursor) {\n  taskStream(after: $after) { cursor kind task { id number title description completed completedAt priority dueOn dueAt labels createdAt updatedAt deletedAt version } }\n}";
export declare const taskMutations: {
    createTask: string;
    updateTask: string;
    completeTask: string;
    reopenTask: string;
    deleteTask: string;
    restoreTask: string;
};
export declare const conversationsQuery = "query Conversations($first: Int!, $after: Cursor) {\n  conversations(first: $first, after: $after) { streamCursor nodes { id title createdAt updatedAt } pageInfo { hasNextPage endCursor } }\n}";
export declare const conversationSubscription = "subscription ConversationStream($after: Cursor) {\n  conversationStream(after: $after) {\n    __typename\n    cursor\n    ... on ConversationChanged { conversation { id title createdAt updatedAt archivedAt } }\n    ... on ConversationDeleted { deletedId }\n  }\n}";
export declare const renameMutation = "mutation Rename($input: UpdateConversationInput!) {\n  updateConversation(input: $input) { conversation { id title createdAt updatedAt } }\n}";
export declare const deleteMutation = "mutation Delete($id: ID!) { deleteConversation(id: $id) { deletedId } }";
