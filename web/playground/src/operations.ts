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

const approvals = `# What the agent wants to do and may not do without you.
# Send "Delete tasks 1 and 2" first. Then put an id from
# here into the tab ApproveToolCalls.
query Approvals {
  viewer {
    pendingApprovals {
      id
      name
      expiresAt
      proposal {
        kind
        number
        title
      }
    }
  }
}
`;

const approve = `# Ids from the tab Approvals, below under "Variables".
# Instead, you can send "yes" in the conversation.
mutation ApproveToolCalls($ids: [ID!]!) {
  approveToolCalls(ids: $ids) {
    toolCalls {
      id
      status
      result
    }
    assistantMessage {
      id
      status
    }
  }
}
`;

const undo = `# Takes back all that a reply changed: the id of an
# assistantMessage. The undo has a batch of its own:
# undoChange with its batchId takes the undo back.
mutation UndoTurn($messageId: ID!) {
  undoTurn(messageId: $messageId) {
    batchId
    undone {
      kind
      task {
        number
        title
      }
    }
    skipped {
      reason
    }
  }
}
`;

const changes = `# The last replies with what they really changed,
# whatever their text says.
query Changes($conversationId: ID!) {
  conversation(id: $conversationId) {
    messages(last: 10) {
      nodes {
        id
        role
        content
        changes {
          kind
          undone
          task {
            number
            title
          }
          fields {
            name
            from
            to
          }
        }
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

const createTask = `# Without the agent. The key makes a repetition safe:
# it returns the same task.
mutation CreateTask {
  createTask(
    input: {
      title: "Pay the rent"
      priority: HIGH
      labels: ["home"]
      idempotencyKey: "rent-1"
    }
  ) {
    task {
      id
      number
      title
    }
  }
}
`;

/** The tabs on the first visit: a message and its reply, an approval, an undo, and the tasks. */
export const defaultTabs = [
  { query: sendMessage },
  { query: messageStream },
  { query: approvals },
  { query: approve, variables: '{\n  "ids": []\n}' },
  { query: changes },
  { query: undo, variables: '{\n  "messageId": ""\n}' },
  { query: tasks },
  { query: createTask },
  { query: taskStream },
];
