import type { Conversation, ErrandError, Message, Task, TaskChangeKind, TaskPriority } from "@errand/client";

/** A change that a reply made to a task. The task is in its current state. */
export interface ChatChange {
  id: string;
  kind: TaskChangeKind;
  task: { id: string; number: number; title: string };
}

/** A message of a chat. */
export interface ChatMessage extends Message {
  /** What the reply changed, whatever its text says; complete once the reply is finished. */
  changes: readonly ChatChange[];
  /** Set while a message of the user is not stored yet: it is being sent, or sending it has failed. */
  unsent?: "sending" | "failed";
}

/**
 * State of a chat. submitted: a message is being sent, or its reply has not begun. streaming: a reply is being written.
 * error: see `error`; `retry` repeats what failed.
 */
export type ChatStatus = "ready" | "submitted" | "streaming" | "error";

/** What useChat returns. None of the functions rejects: errors are in `error`. */
export interface Chat {
  /** Id of the conversation; undefined until the first message of a new one is stored. */
  conversationId: string | undefined;
  /** Oldest first, with the text of replies as it arrives. */
  messages: readonly ChatMessage[];
  status: ChatStatus;
  /** The error of the last message, of its reply, or of loading. */
  error: ErrandError | null;
  /** Whether the newest page of messages is being loaded. */
  loading: boolean;
  /** Sends a message. Resolves with whether it is stored. */
  send(content: string): Promise<boolean>;
  /** Cancels the unfinished replies; their text so far is kept. */
  stop(): Promise<void>;
  /** Sends a message that failed again, or has a failed or cancelled reply written again. */
  retry(): Promise<void>;
  /**
   * Approves tool calls of one reply whose status is AWAITING_APPROVAL: the changes in their `proposal` are made, and a
   * reply follows. Resolves with whether it succeeded.
   */
  approve(toolCallIds: readonly string[]): Promise<boolean>;
  /** Rejects tool calls whose status is AWAITING_APPROVAL. Resolves with whether it succeeded. */
  reject(toolCallIds: readonly string[]): Promise<boolean>;
  /**
   * Takes back what a reply changed, by the id of the message. The `batchId` of the result, passed here, takes the undo
   * back. Undefined if it failed.
   */
  undo(messageId: string): Promise<Undone | undefined>;
  /** Whether there are messages before the first one. */
  hasOlder: boolean;
  /** Loads the messages before the first one. */
  loadOlder(): Promise<void>;
}

/** What an undo did. */
export interface Undone {
  /** Id that takes the undo back; null if nothing was undone. */
  batchId: string | null;
  /** Number of changes that are undone. */
  count: number;
  /** Changes that were left, because the task was changed since. */
  skipped: readonly { number: number; title: string; reason: string }[];
}

/** Options of useChat. */
export interface ChatOptions {
  /** Number of messages of a page; 20 by default. */
  pageSize?: number;
  /** Called when the first message of a new conversation is stored: put the id into the URL. */
  onConversation?: (conversationId: string) => void;
}

/** Conditions on tasks, as the input type TaskFilter of the API. */
export interface TaskFilter {
  status?: "ALL" | "PENDING" | "COMPLETED";
  search?: string | null;
  label?: string | null;
  labels?: readonly string[] | null;
  priority?: readonly TaskPriority[] | null;
  dueFrom?: string | null;
  dueTo?: string | null;
  overdue?: boolean | null;
  noDue?: boolean | null;
  completedFrom?: string | null;
  completedTo?: string | null;
  trashed?: boolean;
}

/** Order of a list of tasks, as the input type TaskOrder of the API. */
export interface TaskOrder {
  field?: "NUMBER" | "CREATED_AT" | "UPDATED_AT" | "DUE" | "PRIORITY" | "TITLE";
  direction?: "ASC" | "DESC";
}

/** Options of useTasks. */
export interface TasksOptions {
  /** Newest first by default. */
  orderBy?: TaskOrder;
  /** Number of tasks of a page; 50 by default. */
  pageSize?: number;
}

/** Fields of a new task. */
export type NewTask = { title: string } & Partial<Pick<Task, "description" | "priority" | "dueOn" | "dueAt" | "labels">>;

/** Fields of a task to change; null clears one. */
export type TaskChanges = {
  [K in "title" | "description" | "priority" | "dueOn" | "dueAt" | "labels" | "completed"]?: Task[K] | null;
} & {
  /** Version last seen: if the stored one differs, the error is CONFLICT. */
  expectedVersion?: number;
};

/** State of a list. */
export type ListStatus = "loading" | "ready" | "error";

/** A task of a list. */
export interface ListTask extends Task {
  /** Set while a change of the task is not stored yet. */
  unsaved?: true;
}

/**
 * What useTasks returns. Changes appear at once, and disappear again if the server rejects them. None of the functions
 * rejects: errors are in `error`, and the result is then undefined.
 */
export interface Tasks {
  tasks: readonly ListTask[];
  status: ListStatus;
  /** The error of the last change or of loading. */
  error: ErrandError | null;
  create(task: NewTask): Promise<Task | undefined>;
  update(id: string, changes: TaskChanges): Promise<Task | undefined>;
  complete(id: string): Promise<Task | undefined>;
  reopen(id: string): Promise<Task | undefined>;
  /** Moves a task to the trash. */
  remove(id: string): Promise<Task | undefined>;
  /** Restores a task from the trash. */
  restore(id: string): Promise<Task | undefined>;
  hasMore: boolean;
  loadMore(): Promise<void>;
  /** Loads the list again. It is done automatically when the stream cannot keep the list exact. */
  refresh(): Promise<void>;
}

/** What useConversations returns. None of the functions rejects: errors are in `error`. */
export interface Conversations {
  /** Newest first. */
  conversations: readonly Conversation[];
  status: ListStatus;
  error: ErrandError | null;
  /** Changes a title; null lets the next message set it. */
  rename(id: string, title: string | null): Promise<void>;
  /** Deletes a conversation with its messages, permanently. */
  remove(id: string): Promise<void>;
  hasMore: boolean;
  loadMore(): Promise<void>;
  refresh(): Promise<void>;
}
