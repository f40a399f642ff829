const sendMessage = `# Press play (or Ctrl-Enter). The reply streams into "Live events" at the lower right.
# The MessageStream tab gets the conversation's id; the task itself is in the Tasks tab.
mutation SendMessage {
  sendMessage(input: { content: "Add a task to buy groceries" }) {
    conversation {
      id
    }
    userMessage {
      id
      content
    }
    assistantMessage {
      id
      status
    }
  }
}
`;

/** The subscription of the second tab; the page also follows replies with it. */
export const messageStream = `# Everything that happens in one conversation, as it happens.
# Where the id comes from: run SendMessage, and this tab's variables fill in by themselves;
# or take any conversation { id } from another answer.
subscription MessageStream($conversationId: ID!) {
  messageStream(conversationId: $conversationId) {
    __typename
    cursor
    ... on MessageAdded {
      message {
        id
        role
        content
        status
      }
    }
    ... on MessageDelta {
      messageId
      offset
      text
    }
    ... on ToolCallChanged {
      toolCall {
        id
        name
        arguments
        status
        result
      }
    }
    ... on MessageFinished {
      message {
        id
        content
        status
      }
    }
  }
}
`;

const tasks = `query Tasks {
  tasks(first: 10) {
    edges {
      node {
        id
        number
        title
        completed
        priority
        dueOn
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const taskStream = `# Every change to your tasks, by hand or by the assistant. Press play, then change a task
# in another browser tab (or as another user: nothing of theirs arrives here).
# Ctrl-Space inside the braces shows what else an event carries.
subscription TaskStream {
  taskStream {
    __typename
    cursor
  }
}
`;

/** The tabs of somebody who comes for the first time. */
export const defaultTabs = [
  { query: sendMessage },
  { query: messageStream, variables: conversationVariables("") },
  { query: tasks },
  { query: taskStream },
];

/** What the variables editor of the MessageStream tab holds for a conversation. */
export function conversationVariables(conversationId: string) {
  return JSON.stringify({ conversationId }, null, 2);
}

/** The ids in the answer to a sendMessage, or null when the answer is to something else. */
export function sentTurn(answer: unknown): { conversationId: string; replyId?: string } | null {
  const payload = (answer as any)?.data?.sendMessage;
  const conversationId = payload?.conversation?.id;
  if (typeof conversationId !== "string") return null;
  return { conversationId, replyId: payload.assistantMessage?.id };
}
