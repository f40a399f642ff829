// The operations of the hooks.

const body = `id position role content status truncated createdAt
  error { code message retryAt }
  changes { id kind undone undoes toolCall { id } fields { name from to } task { id number title } }`;
const message = `${body}
  toolCalls { ...CallParts }`;
const call = `fragment CallParts on ToolCall {
  id name arguments result status latencyMs offset expiresAt
  proposal { taskId number title kind fields { name from to } }
  choices { reference candidates { taskId number title reason } }
}`;
const task = `id number title description completed completedAt priority dueOn dueAt labels createdAt updatedAt deletedAt version`;
const conversation = `id title createdAt updatedAt archivedAt`;

/**
 * Without proposals and choices: a page of them would cost too much. Only those of the newest turn are open, and the
 * stream brings it.
 */
export const messagesQuery = `query Messages($id: ID!, $last: Int!, $before: Cursor) {
  conversation(id: $id) { messages(last: $last, before: $before) {
    nodes {
      ${body}
      toolCalls { id name arguments result status latencyMs offset expiresAt }
    }
    pageInfo { hasPreviousPage startCursor }
  } }
}`;

export const messageSubscription = `subscription MessageStream($conversationId: ID!, $after: Cursor) {
  messageStream(conversationId: $conversationId, after: $after) {
    __typename
    cursor
    ... on MessageAdded { message { ${message} } }
    ... on MessageDelta { messageId offset text }
    ... on ToolCallChanged { messageId toolCall { ...CallParts } }
    ... on MessageFinished { message { ${message} } }
  }
}
${call}`;

export const sendMutation = `mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { conversation { id } userMessage { ${message} } assistantMessage { ${message} } }
}
${call}`;

export const retryMutation = `mutation Retry($messageId: ID!) {
  retryReply(messageId: $messageId) { userMessage { ${message} } assistantMessage { ${message} } }
}
${call}`;

export const cancelMutation = `mutation Cancel($messageId: ID!) {
  cancelReply(messageId: $messageId) { message { ${message} } }
}
${call}`;

/** A mutation that decides about tool calls. The calls are known, and the new reply has none: all of them would cost too much. */
const decision = (field: string) => `mutation Decide($ids: [ID!]!) {
  ${field}(ids: $ids) {
    toolCalls { id status result latencyMs expiresAt message { id } }
    assistantMessage { ${body} }
  }
}`;

export const decisions = {
  approveToolCalls: decision("approveToolCalls"),
  rejectToolCalls: decision("rejectToolCalls"),
};

export const undoMutation = `mutation Undo($id: ID!) {
  undoChange(id: $id) { batchId undone { id undoes } skipped { reason change { task { number title } } } }
}`;

export const tasksQuery = `query Tasks($first: Int!, $after: Cursor, $orderBy: TaskOrder, $filter: TaskFilter) {
  tasks(first: $first, after: $after, orderBy: $orderBy, filter: $filter) {
    streamCursor nodes { ${task} } pageInfo { hasNextPage endCursor }
  }
}`;

export const taskSubscription = `subscription TaskStream($after: Cursor) {
  taskStream(after: $after) { cursor kind task { ${task} } }
}`;

/** A mutation on one task. */
const taskMutation = (field: string, variable: string, type: string) =>
  `mutation ${field}($${variable}: ${type}!) { ${field}(${variable}: $${variable}) { task { ${task} } } }`;

export const taskMutations = {
  createTask: taskMutation("createTask", "input", "CreateTaskInput"),
  updateTask: taskMutation("updateTask", "input", "UpdateTaskInput"),
  completeTask: taskMutation("completeTask", "id", "ID"),
  reopenTask: taskMutation("reopenTask", "id", "ID"),
  deleteTask: taskMutation("deleteTask", "id", "ID"),
  restoreTask: taskMutation("restoreTask", "id", "ID"),
};

export const conversationsQuery = `query Conversations($first: Int!, $after: Cursor, $filter: ConversationFilter) {
  conversations(first: $first, after: $after, filter: $filter) { streamCursor nodes { ${conversation} } pageInfo { hasNextPage endCursor } }
}`;

export const conversationSubscription = `subscription ConversationStream($after: Cursor) {
  conversationStream(after: $after) {
    __typename
    cursor
    ... on ConversationChanged { conversation { ${conversation} } }
    ... on ConversationDeleted { deletedId }
  }
}`;

export const updateMutation = `mutation UpdateConversation($input: UpdateConversationInput!) {
  updateConversation(input: $input) { conversation { ${conversation} } }
}`;

export const deleteMutation = `mutation Delete($id: ID!) { deleteConversation(id: $id) { deletedId } }`;

/** Proposals of all conversations, without what a reply shows in addition. */
export const approvalsQuery = `query Approvals {
  viewer { pendingApprovals {
    id name createdAt expiresAt
    proposal { taskId number title kind fields { name from to } }
    message { id conversation { id title } }
  } }
}`;
