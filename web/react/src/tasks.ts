import {
  emptyTasks,
  mergeTasks,
  reduceTasks,
  toErrandError,
  type Errand,
  type Task,
  type TaskEvent,
  type TasksState,
} from "@errand/client";
import { taskMutations, tasksQuery, taskSubscription } from "./documents.js";
import { ListStore, type Page } from "./list.js";
import { randomKey } from "./store.js";
import type { ListTask, NewTask, TaskChanges, TaskFilter, TaskOrder, Tasks } from "./types.js";

/** A change that is not stored yet. */
interface Change {
  /** Id of the task; of a created one until it has its own. */
  id: string;
  /** The task as it will be; of the present one, which a created task does not have. */
  apply: (task: Task | undefined) => Task | undefined;
  /** Tasks known before a task was created, to recognise the new one in the stream. */
  known?: ReadonlySet<string>;
}

const priorities = ["NONE", "LOW", "MEDIUM", "HIGH", "URGENT"];

/** Start of the ids of tasks that are not stored yet. */
const unsaved = "unsaved:";

/** Sort keys that are the same here and on the server. */
const sortKeys = {
  NUMBER: (t: Task) => t.number,
  CREATED_AT: (t: Task) => Date.parse(t.createdAt),
  UPDATED_AT: (t: Task) => Date.parse(t.updatedAt),
  PRIORITY: (t: Task) => priorities.indexOf(t.priority),
  DUE: (t: Task) => due(t),
};

/**
 * Time at which a task is due: the end of the day if it has no time of day, in the time zone of this machine, which is
 * usually that of the account. Tasks without a due date come last when ascending.
 */
function due({ dueAt, dueOn }: Task): number {
  return dueAt ? Date.parse(dueAt) : dueOn ? Date.parse(`${dueOn}T23:59:59.999`) : Number.MAX_SAFE_INTEGER;
}

/** Members of the filter that this module decides; tasks under others are loaded again after each change. */
const decidable = ["status", "label", "labels", "priority", "trashed"];

/** The state of one list of tasks. */
export class TaskStore extends ListStore<Tasks, Task, TaskEvent> {
  #state: TasksState = emptyTasks;
  /** Ids in the order of the server's pages. */
  #order: readonly string[] = [];
  #changes: readonly Change[] = [];
  #reload: ReturnType<typeof setTimeout> | undefined;
  /** The last change of each task: changes of one task are sent one after the other. */
  readonly #tails = new Map<string, Promise<Task | undefined>>();
  readonly #sortKey: ((t: Task) => number) | undefined;
  /** Whether the events of the stream suffice to keep the list exact. */
  readonly #exact: boolean;

  constructor(
    errand: Errand,
    private readonly filter: TaskFilter,
    private readonly orderBy: TaskOrder | undefined,
    pageSize: number,
  ) {
    super(errand, pageSize, taskSubscription);
    this.#sortKey = (sortKeys as Record<string, (t: Task) => number>)[orderBy?.field ?? "NUMBER"];
    const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
    this.#exact = this.#sortKey !== undefined && given.every(([key]) => decidable.includes(key));
  }

  protected override stop(): void {
    this.#stopReload();
    super.stop();
  }

  #stopReload(): void {
    clearTimeout(this.#reload);
    this.#reload = undefined;
  }

  protected size(): number {
    return this.#order.length;
  }

  protected async query(first: number, after: string | null): Promise<Page<Task>> {
    if (after === null) this.#stopReload();
    const variables = { first, after, orderBy: this.orderBy, filter: this.filter };
    return (await this.errand.query<{ tasks: Page<Task> }>(tasksQuery, variables)).tasks;
  }

  protected add({ nodes }: Page<Task>, isFirst: boolean): void {
    this.#state = mergeTasks(this.#state, nodes);
    this.#order = [...(isFirst ? [] : this.#order), ...nodes.map((t) => t.id)];
  }

  protected apply(event: TaskEvent): void {
    this.#state = reduceTasks(this.#state, event);
    if (!this.#exact) this.#reload ??= setTimeout(() => void this.refresh(), 300);
  }

  /** Shows a change at once, sends it, and takes it back if that fails. */
  #change(change: Change, send: (id: string) => Promise<Task>): Promise<Task | undefined> {
    this.#changes = [...this.#changes, change];
    this.error = null;
    this.changed();
    const sent = this.#deliver(change, send, this.#tails.get(change.id));
    const key = change.id;
    this.#tails.set(key, sent);
    // The tail of a created task is kept: it leads from the id that it had at first to its own.
    if (!change.known) void sent.finally(() => this.#tails.get(key) === sent && this.#tails.delete(key));
    return sent;
  }

  async #deliver(change: Change, send: (id: string) => Promise<Task>, before: Promise<Task | undefined> | undefined) {
    try {
      const id = (await before)?.id ?? change.id;
      // The creation of the task has failed, and its error is shown.
      if (!change.known && id.startsWith(unsaved)) return undefined;
      const task = await send(id);
      this.#state = mergeTasks(this.#state, [task]);
      if (change.known) for (const c of this.#changes) if (c.id === change.id && c !== change) c.id = task.id;
      return task;
    } catch (thrown) {
      this.error = toErrandError(thrown);
      return undefined;
    } finally {
      this.#changes = this.#changes.filter((c) => c !== change);
      this.changed();
    }
  }

  /** Sends a mutation on one task. Repeating it has no further effect. */
  async #mutate(field: keyof typeof taskMutations, variables: object): Promise<Task> {
    const data = await this.errand.mutate<Record<string, { task: Task }>>(
      taskMutations[field],
      variables as Record<string, unknown>,
      { retry: true },
    );
    return data[field]!.task;
  }

  readonly #create = (input: NewTask) => {
    const id = unsaved + randomKey();
    const now = new Date().toISOString();
    const task: Task = {
      id,
      number: Math.max(0, ...[...this.#state.tasks.values()].map((t) => t.number)) + this.#changes.length + 1,
      title: input.title.trim(),
      description: input.description ?? "",
      completed: false,
      completedAt: null,
      priority: input.priority ?? "NONE",
      dueOn: input.dueOn ?? null,
      dueAt: input.dueAt ?? null,
      labels: input.labels ?? [],
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
      version: 0,
    };
    const change = { id, apply: () => task, known: new Set(this.#state.tasks.keys()) };
    return this.#change(change, () => this.#mutate("createTask", { input: { idempotencyKey: randomKey(), ...input } }));
  };

  readonly #update = (id: string, changes: TaskChanges) =>
    this.#patch(id, patchOf(changes), (taskId) => this.#mutate("updateTask", { input: { id: taskId, ...changes } }));

  #patch(id: string, patch: Partial<Task>, send: (id: string) => Promise<Task>): Promise<Task | undefined> {
    const apply = (task: Task | undefined) => task && { ...task, ...patch, updatedAt: new Date().toISOString() };
    return this.#change({ id, apply }, send);
  }

  /** A mutation that takes the id alone. */
  readonly #simple = (field: keyof typeof taskMutations, patch: () => Partial<Task>) => (id: string) =>
    this.#patch(id, patch(), (taskId) => this.#mutate(field, { id: taskId }));

  readonly #complete = this.#simple("completeTask", () => patchOf({ completed: true }));
  readonly #reopen = this.#simple("reopenTask", () => patchOf({ completed: false }));
  readonly #remove = this.#simple("deleteTask", () => ({ deletedAt: new Date().toISOString() }));
  readonly #restore = this.#simple("restoreTask", () => ({ deletedAt: null }));

  /** The tasks with the changes that are not stored yet. */
  #changed(): ReadonlyMap<string, ListTask> {
    const tasks = new Map<string, ListTask>(this.#state.tasks);
    for (const { id, apply, known } of this.#changes) {
      if (known && [...this.#state.tasks.values()].some((t) => !known.has(t.id) && t.title === apply(undefined)?.title)) {
        continue; // the stream has delivered the task before the mutation's result
      }
      const task = apply(tasks.get(id));
      if (task) tasks.set(id, { ...task, unsaved: true });
    }
    return tasks;
  }

  #list(): readonly ListTask[] {
    const tasks = this.#changed();
    const matching = (list: Iterable<ListTask | undefined>) => [...list].filter((t): t is ListTask => !!t && this.#matches(t));
    const key = this.#sortKey;
    if (!this.#exact || !key) {
      const created = this.#changes.filter((c) => c.known && tasks.has(c.id)).map((c) => tasks.get(c.id));
      return matching([...created, ...this.#order.map((id) => tasks.get(id))]);
    }
    const sign = this.orderBy?.direction === "ASC" ? 1 : -1;
    const compare = (a: Task, b: Task) => sign * (key(a) - key(b) || a.number - b.number);
    // Tasks after the last page are shown when their page is loaded.
    const last = this.hasMore ? this.#state.tasks.get(this.#order.at(-1) ?? "") : undefined;
    return matching(tasks.values())
      .filter((t) => !last || t.unsaved || compare(t, last) <= 0)
      .sort(compare);
  }

  #matches(task: Task): boolean {
    const { status, label, labels, priority, trashed } = this.filter;
    return (
      (task.deletedAt !== null) === (trashed ?? false) &&
      (status === undefined || status === "ALL" || task.completed === (status === "COMPLETED")) &&
      (!label || task.labels.includes(label)) &&
      (!labels || labels.every((l) => task.labels.includes(l))) &&
      (!priority || priority.includes(task.priority))
    );
  }

  protected render(): Tasks {
    return {
      ...this.parts(),
      tasks: this.#list(),
      create: this.#create,
      update: this.#update,
      complete: this.#complete,
      reopen: this.#reopen,
      remove: this.#remove,
      restore: this.#restore,
    };
  }
}

/** The fields of a task after changes. */
function patchOf(changes: TaskChanges): Partial<Task> {
  const patch: Record<string, unknown> = {};
  const empty: Partial<Record<string, unknown>> = { description: "", priority: "NONE", labels: [] };
  for (const [name, value] of Object.entries(changes)) {
    if (name !== "expectedVersion" && value !== undefined) patch[name] = value ?? empty[name] ?? null;
  }
  if ("dueOn" in patch) patch["dueAt"] ??= null;
  if ("dueAt" in patch) patch["dueOn"] ??= null;
  if ("completed" in patch) patch["completedAt"] = patch["completed"] ? new Date().toISOString() : null;
  return patch as Partial<Task>;
}
