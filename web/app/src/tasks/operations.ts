/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Input for createTask. */
export type CreateTaskInput = {
  /** Description, at most 10,000 characters. */
  readonly description?: string | null | undefined;
  /** Due date and time. Cannot be combined with `dueOn`. */
  readonly dueAt?: string | null | undefined;
  /** Due date without a time of day. Cannot be combined with `dueAt`. */
  readonly dueOn?: string | null | undefined;
  /**
   * Makes retries safe, 1 to 255 characters: for seven days, a request with the same key and input returns the same task;
   * the same key with another input is a CONFLICT.
   */
  readonly idempotencyKey?: string | null | undefined;
  /** At most 20 labels of 1 to 50 characters. */
  readonly labels?: ReadonlyArray<string> | null | undefined;
  /** Priority; NONE by default. */
  readonly priority?: TaskPriority | null | undefined;
  /** Title, 1 to 200 characters after trimming. */
  readonly title: string;
};

/** Meaning of a part of a text. */
export type ParsedTaskSpanKind =
  /** The description, with the words that introduce it. */
  | 'DESCRIPTION'
  /** The due date, or a piece of it. */
  | 'DUE'
  /** A label. */
  | 'LABEL'
  /** The priority. */
  | 'PRIORITY'
  /** Looks like a date that is not certain. It stays in the title. */
  | 'UNCERTAIN';

/** A change to a task, in applyTasks. Exactly one field must be given. */
export type TaskOperation =
  {   /** Marks the task with this id as completed. */
  readonly complete: string; readonly create?: never; readonly delete?: never; readonly reopen?: never; readonly restore?: never; readonly update?: never; }
  |  { readonly complete?: never;   /** Creates a task. */
  readonly create: CreateTaskInput; readonly delete?: never; readonly reopen?: never; readonly restore?: never; readonly update?: never; }
  |  { readonly complete?: never; readonly create?: never;   /** Moves the task with this id to the trash. */
  readonly delete: string; readonly reopen?: never; readonly restore?: never; readonly update?: never; }
  |  { readonly complete?: never; readonly create?: never; readonly delete?: never;   /** Marks the task with this id as pending. */
  readonly reopen: string; readonly restore?: never; readonly update?: never; }
  |  { readonly complete?: never; readonly create?: never; readonly delete?: never; readonly reopen?: never;   /** Restores the task with this id from the trash. */
  readonly restore: string; readonly update?: never; }
  |  { readonly complete?: never; readonly create?: never; readonly delete?: never; readonly reopen?: never; readonly restore?: never;   /** Changes fields of a task. */
  readonly update: UpdateTaskInput; };

/** Priority of a task. */
export type TaskPriority =
  /** High. */
  | 'HIGH'
  /** Low. */
  | 'LOW'
  /** Medium. */
  | 'MEDIUM'
  /** No priority set. */
  | 'NONE'
  /** Urgent. */
  | 'URGENT';

/** Input for updateTask. Fields that are left out stay unchanged; null clears a field. */
export type UpdateTaskInput = {
  /** Whether the task is completed. */
  readonly completed?: boolean | null | undefined;
  /** Description, at most 10,000 characters; null clears it. */
  readonly description?: string | null | undefined;
  /** Due date and time. A value clears `dueOn`; null removes the due date. */
  readonly dueAt?: string | null | undefined;
  /** Due date without a time of day. A value clears `dueAt`; null removes the due date. */
  readonly dueOn?: string | null | undefined;
  /** Version last seen by the client. If the stored version differs, the error is CONFLICT and nothing is changed. */
  readonly expectedVersion?: number | null | undefined;
  /** Id of the task. */
  readonly id: string;
  /** New labels, at most 20 of 1 to 50 characters; they replace the present ones. Null removes all. */
  readonly labels?: ReadonlyArray<string> | null | undefined;
  /** Priority; null means NONE. */
  readonly priority?: TaskPriority | null | undefined;
  /** Title, 1 to 200 characters after trimming. It cannot be cleared. */
  readonly title?: string | null | undefined;
};

export type ParseTaskQueryVariables = Exact<{
  text: string;
}>;


export type ParseTaskQuery = { readonly parseTask: { readonly title: string, readonly description: string, readonly priority: TaskPriority, readonly dueOn: string | null, readonly dueAt: string | null, readonly labels: ReadonlyArray<string>, readonly uncertain: ReadonlyArray<string>, readonly spans: ReadonlyArray<{ readonly kind: ParsedTaskSpanKind, readonly start: number, readonly end: number, readonly text: string }> } };

export type TaskCountsQueryVariables = Exact<{ [key: string]: never; }>;


export type TaskCountsQuery = { readonly taskCounts: { readonly pending: number, readonly completed: number, readonly trashed: number, readonly overdue: number } };

export type LabelsQueryVariables = Exact<{ [key: string]: never; }>;


export type LabelsQuery = { readonly labels: ReadonlyArray<{ readonly name: string, readonly count: number }> };

export type ApplyTasksMutationVariables = Exact<{
  operations: ReadonlyArray<TaskOperation> | TaskOperation;
  key: string;
}>;


export type ApplyTasksMutation = { readonly applyTasks: { readonly batchId: string | null, readonly results: ReadonlyArray<{ readonly task: { readonly id: string } | null, readonly error: { readonly code: string, readonly message: string } | null }> } | null };

export type UndoTasksMutationVariables = Exact<{
  id: string;
}>;


export type UndoTasksMutation = { readonly undoChange: { readonly batchId: string | null, readonly undone: ReadonlyArray<{ readonly id: string }>, readonly skipped: ReadonlyArray<{ readonly reason: string }> } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const ParseTaskDocument = new TypedDocumentString(`
    query ParseTask($text: String!) {
  parseTask(text: $text) {
    title
    description
    priority
    dueOn
    dueAt
    labels
    uncertain
    spans {
      kind
      start
      end
      text
    }
  }
}
    `) as unknown as TypedDocumentString<ParseTaskQuery, ParseTaskQueryVariables>;
export const TaskCountsDocument = new TypedDocumentString(`
    query TaskCounts {
  taskCounts {
    pending
    completed
    trashed
    overdue
  }
}
    `) as unknown as TypedDocumentString<TaskCountsQuery, TaskCountsQueryVariables>;
export const LabelsDocument = new TypedDocumentString(`
    query Labels {
  labels(first: 50) {
    name
    count
  }
}
    `) as unknown as TypedDocumentString<LabelsQuery, LabelsQueryVariables>;
export const ApplyTasksDocument = new TypedDocumentString(`
    mutation ApplyTasks($operations: [TaskOperation!]!, $key: String!) {
  applyTasks(operations: $operations, atomic: false, idempotencyKey: $key) {
    batchId
    results {
      task {
        id
      }
      error {
        code
        message
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ApplyTasksMutation, ApplyTasksMutationVariables>;
export const UndoTasksDocument = new TypedDocumentString(`
    mutation UndoTasks($id: ID!) {
  undoChange(id: $id) {
    batchId
    undone {
      id
    }
    skipped {
      reason
    }
  }
}
    `) as unknown as TypedDocumentString<UndoTasksMutation, UndoTasksMutationVariables>;