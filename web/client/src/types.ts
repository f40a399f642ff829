// The types of the API that the stream reducers and @errand/react use. Applications that generate their types from the
// schema pass those instead: the reducers are generic.

/** Author of a message. */
export type MessageRole = "USER" | "ASSISTANT";

/** State of a message. COMPLETED, FAILED and CANCELLED are terminal. */
export type MessageStatus = "PENDING" | "STREAMING" | "COMPLETED" | "FAILED" | "CANCELLED";

/** State of a tool call. */
export type ToolCallStatus = "STARTED" | "AWAITING_APPROVAL" | "SUCCEEDED" | "FAILED";

/** A change of a task that waits for the user's approval. */
export interface ProposedChange {
  taskId: string;
  number: number;
  /** Title before the change. */
  title: string;
  kind: TaskChangeKind;
  fields: readonly { name: string; from: string | null; to: string | null }[];
}

/** Why a task is a candidate for a reference, from the best reason to the worst. */
export type TaskMatchReason = "NUMBER" | "TITLE" | "ALL_WORDS" | "PREFIXES" | "SPELLING" | "SOME_WORDS";

/** A reference that did not name a task with certainty, with the tasks that it may name as they were then. */
export interface TaskChoice {
  reference: string;
  candidates: readonly { taskId: string; number: number; title: string; reason: TaskMatchReason }[];
}

/** A call of a tool by the agent. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: unknown;
  result: unknown;
  status: ToolCallStatus;
  latencyMs: number | null;
  /** Position in the reply's text at which the call was made, in UTF-16 code units. */
  offset: number;
  /** The changes for which the call needed approval: approving it makes exactly these. */
  proposal: readonly ProposedChange[];
  /** References for which nothing was done, because they did not name a task with certainty. */
  choices: readonly TaskChoice[];
  /** Time at which the approval expires; null unless the status is AWAITING_APPROVAL. */
  expiresAt: string | null;
}

/** Reason of a reply's failure. */
export interface MessageError {
  /** Code as in `extensions.code` of GraphQL errors. */
  code: string;
  /** Explanation suitable for display. */
  message: string;
  /** Earliest time at which a retry may succeed. */
  retryAt: string | null;
}

/** A message of the user or a reply of the agent. */
export interface Message {
  id: string;
  /** Position in the conversation, starting at 1, without gaps. */
  position: number;
  role: MessageRole;
  content: string;
  status: MessageStatus;
  /** Whether the reply ended at a limit of its length; absent if it was not selected. */
  truncated?: boolean;
  error: MessageError | null;
  toolCalls: readonly ToolCall[];
  createdAt: string;
}

/** Priority of a task. */
export type TaskPriority = "NONE" | "LOW" | "MEDIUM" | "HIGH" | "URGENT";

/** A task. */
export interface Task {
  id: string;
  /** Number by which the user and the agent refer to the task. */
  number: number;
  title: string;
  description: string;
  completed: boolean;
  completedAt: string | null;
  priority: TaskPriority;
  /** Due date without a time of day. */
  dueOn: string | null;
  /** Due date and time. */
  dueAt: string | null;
  labels: readonly string[];
  createdAt: string;
  updatedAt: string;
  /** Time at which the task was moved to the trash. */
  deletedAt: string | null;
  /** Incremented by one with each change. */
  version: number;
}

/** A conversation between the user and the agent. */
export interface Conversation {
  id: string;
  title: string;
  createdAt: string;
  updatedAt: string;
  /** Time at which the conversation was archived; null unless it is. */
  archivedAt: string | null;
}

/** What the reducer needs of a tool call. */
export type ToolCallLike = Pick<ToolCall, "id" | "status">;

/** What the reducer needs of a message. */
export interface MessageLike {
  id: string;
  content: string;
  status: MessageStatus;
  toolCalls?: readonly ToolCallLike[];
}

type CallOf<M extends MessageLike> = M extends { toolCalls?: readonly (infer C)[] } ? C : ToolCallLike;

/** An event of `messageStream`. Select `__typename` and `cursor` on it. */
export type MessageEvent<M extends MessageLike = Message> =
  | { __typename: "MessageAdded"; cursor: string; message: M }
  | { __typename: "MessageDelta"; cursor: string; messageId: string; offset: number; text: string }
  | { __typename: "ToolCallChanged"; cursor: string; messageId: string; toolCall: CallOf<M> }
  | { __typename: "MessageFinished"; cursor: string; message: M };

/** Kind of a change to a task. */
export type TaskChangeKind = "CREATED" | "UPDATED" | "COMPLETED" | "REOPENED" | "DELETED" | "RESTORED";

/** What the reducer needs of a task. */
export type TaskLike = Pick<Task, "id" | "version" | "deletedAt">;

/** An event of `taskStream`. */
export interface TaskEvent<T extends TaskLike = Task> {
  cursor: string;
  kind: TaskChangeKind;
  task: T;
}
