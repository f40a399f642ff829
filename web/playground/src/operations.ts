const sendMessage = `# Press play, or Ctrl-Enter. Watch the reply under
# "Live events" and find the task in the Tasks tab.
mutation SendMessage {
  sendMessage(
    input: { content: "Add a task to buy groceries" }
  ) {
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
export const messageStream = `# One conversation, as it happens. Run SendMessage
# first: its conversation's id fills in below.
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

const taskStream = `# Every change to your tasks. Press play, then change
# a task in another browser tab or through the agent.
subscription TaskStream {
  taskStream {
    cursor
    kind
    task {
      number
      title
      completed
    }
    change {
      actor
    }
  }
}
`;

/** The tabs on the first visit. */
export const defaultTabs = [
  { query: sendMessage },
  { query: messageStream, variables: conversationVariables("") },
  { query: tasks },
  { query: taskStream },
];

/** The variables of the MessageStream tab for a conversation. */
export function conversationVariables(conversationId: string) {
  return JSON.stringify({ conversationId }, null, 2);
}

/** The ids in the result of sendMessage, or null for the result of another operation. */
export function sentTurn(answer: unknown): { conversationId: string; replyId?: string } | null {
  const payload = (answer as any)?.data?.sendMessage;
  const conversationId = payload?.conversation?.id;
  if (typeof conversationId !== "string") return null;
  return { conversationId, replyId: payload.assistantMessage?.id };
}
