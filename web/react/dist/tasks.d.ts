import { type Errand } from "@errand/client";
import { Store } from "./store.js";
import type { TaskFilter, TaskOrder, Tasks } from "./types.js";
/** The state of one list of tasks. */
export declare class TaskStore extends Store<Tasks> {
    #private;
    private readonly errand;
    private readonly filter;
    private readonly orderBy;
    private readonly pageSize;
    constructor(errand: Errand, filter: TaskFilter, orderBy: TaskOrder | undefined, pageSize: number);
    protected start(): void;
    protected stop(): void;
    protected render(): Tasks;
}
