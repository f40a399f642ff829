import { type Errand, type Task, type TaskEvent } from "@errand/client";
import { ListStore, type Page } from "./list.js";
import type { TaskFilter, TaskOrder, Tasks } from "./types.js";
/** The state of one list of tasks. */
export declare class TaskStore extends ListStore<Tasks, Task, TaskEvent> {
    #private;
    private readonly filter;
    private readonly orderBy;
    constructor(errand: Errand, filter: TaskFilter, orderBy: TaskOrder | undefined, pageSize: number);
    protected stop(): void;
    protected size(): number;
    protected query(first: number, after: string | null): Promise<Page<Task>>;
    protected add({ nodes }: Page<Task>, isFirst: boolean): void;
    protected apply(event: TaskEvent): void;
    protected render(): Tasks;
}
