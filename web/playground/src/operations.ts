const sendMessage = `# Press play, or Ctrl-Enter. Watch the reply under
# "Live events" and find the task in the Tasks tab.
# Without a conversationId (null), a new conversation
# starts, and its id fills in below.
mutation SendMessage($conversationId: ID) {
  sendMessage(
    input: {
      conversationId: $conversationId
      content: "Add a task to buy groceries"
    }
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

/** Starts the conversation that a SendMessage without a conversationId goes to. */
export const createConversation = `mutation {
  createConversation {
    conversation {
      id
    }
  }
}
`;

/** The subscription of the second tab; the page also follows replies with it. */
export const messageStream = `# One conversation, as it happens. Run SendMessage
# first: its conversation's id fills in below. After a
# lost connection the page passes the last cursor as
# $after, so that nothing is missed.
subscription MessageStream($conversationId: ID!, $after: Cursor) {
  messageStream(conversationId: $conversationId, after: $after) {
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
subscription TaskStream($after: Cursor) {
  taskStream(after: $after) {
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
export const defaultTabs = [{ query: sendMessage }, { query: messageStream }, { query: tasks }, { query: taskStream }];
