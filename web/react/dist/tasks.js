import { emptyTasks, mergeTasks, reduceTasks, toErrandError, } from "@errand/client";
import { taskMutations, tasksQuery, taskSubscription } from "./documents.js";
import { ListStore } from "./list.js";
import { randomKey } from "./store.js";
const priorities = ["NONE", "LOW", "MEDIUM", "HIGH", "URGENT"];
const unsaved = "unsaved:";
const sortKeys = {
    NUMBER: (t) => t.number,
    CREATED_AT: (t) => Date.parse(t.createdAt),
    UPDATED_AT: (t) => Date.parse(t.updatedAt),
    PRIORITY: (t) => priorities.indexOf(t.priority),
    DUE: (t) => due(t),
};
function due({ dueAt, dueOn }) {
    return dueAt ? Date.parse(dueAt) : dueOn ? Date.parse(`${dueOn}T23:59:59.999`) : Number.MAX_SAFE_INTEGER;
}
const decidable = ["status", "label", "labels", "priority", "trashed"];
export class TaskStore extends ListStore {
    filter;
    orderBy;
    #state = emptyTasks;
    #order = [];
    #changes = [];
    #reload;
    #tails = new Map();
    #sortKey;
    #exact;
    constructor(errand, filter, orderBy, pageSize) {
        super(errand, pageSize, taskSubscription);
        this.filter = filter;
        this.orderBy = orderBy;
        this.#sortKey = sortKeys[orderBy?.field ?? "NUMBER"];
        const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
        this.#exact = this.#sortKey !== undefined && given.every(([key]) => decidable.includes(key));
    }
    stop() {
        this.#stopReload();
        super.stop();
    }
    #stopReload() {
        clearTimeout(this.#reload);
        this.#reload = undefined;
    }
    size() {
        return this.#order.length;
    }
    async query(first, after) {
        if (after === null)
            this.#stopReload();
        const variables = { first, after, orderBy: this.orderBy, filter: this.filter };
        return (await this.errand.query(tasksQuery, variables)).tasks;
    }
    add({ nodes }, isFirst) {
        this.#state = mergeTasks(this.#state, nodes);
        this.#order = [...(isFirst ? [] : this.#order), ...nodes.map((t) => t.id)];
    }
    apply(event) {
        this.#state = reduceTasks(this.#state, event);
        if (!this.#exact)
            this.#reload ??= setTimeout(() => void this.refresh(), 300);
    }
    #change(change, send) {
        this.#changes = [...this.#changes, change];
        this.error = null;
        this.changed();
        const sent = this.#deliver(change, send, this.#tails.get(change.id));
        const key = change.id;
        this.#tails.set(key, sent);
        if (!change.known)
            void sent.finally(() => this.#tails.get(key) === sent && this.#tails.delete(key));
        return sent;
    }
    async #deliver(change, send, before) {
        try {
            const id = (await before)?.id ?? change.id;
            if (!change.known && id.startsWith(unsaved))
                return undefined;
            const task = await send(id);
            this.#state = mergeTasks(this.#state, [task]);
            if (change.known)
                for (const c of this.#changes)
                    if (c.id === change.id && c !== change)
                        c.id = task.id;
            return task;
        }
        catch (thrown) {
            this.error = toErrandError(thrown);
            return undefined;
        }
        finally {
            this.#changes = this.#changes.filter((c) => c !== change);
            this.changed();
        }
    }
    async #mutate(field, variables) {
        const data = await this.errand.mutate(taskMutations[field], variables, { retry: true });
        return data[field].task;
    }
    #create = (input) => {
        const id = unsaved + randomKey();
        const now = new Date().toISOString();
        const task = {
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
    #update = (id, changes) => this.#patch(id, patchOf(changes), (taskId) => this.#mutate("updateTask", { input: { id: taskId, ...changes } }));
    #patch(id, patch, send) {
        const apply = (task) => task && { ...task, ...patch, updatedAt: new Date().toISOString() };
        return this.#change({ id, apply }, send);
    }
    #simple = (field, patch) => (id) => this.#patch(id, patch(), (taskId) => this.#mutate(field, { id: taskId }));
    #complete = this.#simple("completeTask", () => patchOf({ completed: true }));
    #reopen = this.#simple("reopenTask", () => patchOf({ completed: false }));
    #remove = this.#simple("deleteTask", () => ({ deletedAt: new Date().toISOString() }));
    #restore = this.#simple("restoreTask", () => ({ deletedAt: null }));
    #changed() {
        const tasks = new Map(this.#state.tasks);
        for (const { id, apply, known } of this.#changes) {
            if (known && [...this.#state.tasks.values()].some((t) => !known.has(t.id) && t.title === apply(undefined)?.title)) {
                continue;
            }
            const task = apply(tasks.get(id));
            if (task)
                tasks.set(id, { ...task, unsaved: true });
        }
        return tasks;
    }
    #list() {
        const tasks = this.#changed();
        const matching = (list) => [...list].filter((t) => !!t && this.#matches(t));
        const key = this.#sortKey;
        if (!this.#exact || !key) {
            const created = this.#changes.filter((c) => c.known && tasks.has(c.id)).map((c) => tasks.get(c.id));
            return matching([...created, ...this.#order.map((id) => tasks.get(id))]);
        }
        const sign = this.orderBy?.direction === "ASC" ? 1 : -1;
        const compare = (a, b) => sign * (key(a) - key(b) || a.number - b.number);
        const last = this.hasMore ? this.#state.tasks.get(this.#order.at(-1) ?? "") : undefined;
        return matching(tasks.values())
            .filter((t) => !last || t.unsaved || compare(t, last) <= 0)
            .sort(compare);
    }
    #matches(task) {
        const { status, label, labels, priority, trashed } = this.filter;
        return ((task.deletedAt !== null) === (trashed ?? false) &&
            (status === undefined || status === "ALL" || task.completed === (status === "COMPLETED")) &&
            (!label || task.labels.includes(label)) &&
            (!labels || labels.every((l) => task.labels.includes(l))) &&
            (!priority || priority.includes(task.priority)));
    }
    render() {
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
function patchOf(changes) {
    const patch = {};
    const empty = { description: "", priority: "NONE", labels: [] };
    for (const [name, value] of Object.entries(changes)) {
        if (name !== "expectedVersion" && value !== undefined)
            patch[name] = value ?? empty[name] ?? null;
    }
    if ("dueOn" in patch)
        patch["dueAt"] ??= null;
    if ("dueAt" in patch)
        patch["dueOn"] ??= null;
    if ("completed" in patch)
        patch["completedAt"] = patch["completed"] ? new Date().toISOString() : null;
    return patch;
}
