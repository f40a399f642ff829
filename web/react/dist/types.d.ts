import type { Conversation, ErrandError, Message, ProposedChange, Task, TaskChangeKind, TaskPriority } from "@errand/client";
/** A change that a reply made to a task. The task is in its current state. */
export interface ChatChange {
    id: string;
    kind: TaskChangeKind;
    /** Whether the change is undone. */
    undone: boolean;
    /** Id of the change that this one undoes; null for other changes. */
    undoes: string | null;
    /** The call that made the change. */
    toolCall: {
        id: string;
    } | null;
    /** Values before and after the change. */
    fields: readonly {
        name: string;
        from: string | null;
        to: string | null;
    }[];
    task: {
        id: string;
        number: number;
        title: string;
    };
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
    /** Cancels one reply, such as that of a message that waits for an earlier reply. */
    cancel(messageId: string): Promise<void>;
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
     * Takes back what a reply changed, by the id of the message, or one of its `changes`, by its id. The `batchId` of the
     * result, passed here, takes the undo back. Undefined if it failed.
     */
    undo(id: string): Promise<Undone | undefined>;
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
    skipped: readonly {
        number: number;
        title: string;
        reason: string;
    }[];
}
/** Where useChat keeps messages that are not stored yet, such as localStorage. */
export type Outbox = Pick<Storage, "getItem" | "setItem" | "removeItem">;
/** Options of useChat. */
export interface ChatOptions {
    /**
     * Keeps messages that are not stored yet, so that they survive a reload: they are sent, once, when the chat is shown
     * again. Its entries begin with `outbox:`; remove them when the user signs out.
     */
    outbox?: Outbox;
    /** Number of messages of a page; 20 by default, at most 40. */
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
export type NewTask = {
    title: string;
} & Partial<Pick<Task, "description" | "priority" | "dueOn" | "dueAt" | "labels">>;
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
    /** Loads at least `count` more, or another page. */
    loadMore(count?: number): Promise<void>;
    /** Loads the list again. It is done automatically when the stream cannot keep the list exact. */
    refresh(): Promise<void>;
}
/** Conditions on conversations, as the input type ConversationFilter of the API. */
export interface ConversationFilter {
    /** Words to find in the title. */
    search?: string;
    /** True for the archived conversations, otherwise those that are not. */
    archived?: boolean;
}
/** Options of useConversations. */
export interface ConversationsOptions {
    /** Number of conversations of a page; 30 by default. */
    pageSize?: number;
    filter?: ConversationFilter;
}
/** What useConversations returns. None of the functions rejects: errors are in `error`. */
export interface Conversations {
    /** Newest first. */
    conversations: readonly Conversation[];
    status: ListStatus;
    error: ErrandError | null;
    /** Changes a title; null lets the next message set it. */
    rename(id: string, title: string | null): Promise<void>;
    /** Archives a conversation; with false, takes it out of the archive. */
    archive(id: string, archived?: boolean): Promise<void>;
    /** Deletes a conversation with its messages, permanently. */
    remove(id: string): Promise<void>;
    hasMore: boolean;
    /** Loads at least `count` more, or another page. */
    loadMore(count?: number): Promise<void>;
    refresh(): Promise<void>;
}
/** A tool call that waits for the user's approval. */
export interface Approval {
    id: string;
    /** Name of the tool. */
    name: string;
    createdAt: string;
    expiresAt: string | null;
    /** What approving the call changes. */
    proposal: readonly ProposedChange[];
    /** The reply that made the call. */
    message: {
        id: string;
        conversation: {
            id: string;
            title: string;
        };
    };
}
/** What useApprovals returns. None of the functions rejects: errors are in `error`. */
export interface Approvals {
    /** The open approvals of all conversations, those that expire last first; at most 100. */
    approvals: readonly Approval[];
    status: ListStatus;
    error: ErrandError | null;
    /** Approves calls of one reply. Resolves with whether it succeeded. */
    approve(toolCallIds: readonly string[]): Promise<boolean>;
    /** Rejects calls of one reply. Resolves with whether it succeeded. */
    reject(toolCallIds: readonly string[]): Promise<boolean>;
    refresh(): Promise<void>;
}
