import type { Task, TaskEvent, TaskLike } from "./types.js";
/** Tasks by id, and the position in their stream. */
export interface TasksState<T extends TaskLike = Task> {
    readonly tasks: ReadonlyMap<string, T>;
    /** Cursor of the last event applied: pass it as `after` to continue from here. */
    readonly cursor: string | null;
}
/** The state before the first page and event. */
export declare const emptyTasks: TasksState<never>;
/**
 * Applies an event of `taskStream`, and returns the new state. Events that were applied before have no effect. Tasks in
 * the trash stay in the map, with their `deletedAt`, so that older copies do not bring them back.
 */
export declare function reduceTasks<T extends TaskLike>(state: TasksState<T>, event: TaskEvent<T>): TasksState<T>;
/** Adds tasks from a query or a mutation. Of two copies of a task, the one with the higher version stays. */
export declare function mergeTasks<T extends TaskLike>(state: TasksState<T>, copies: readonly T[]): TasksState<T>;
