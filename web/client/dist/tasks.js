export const emptyTasks = { tasks: new Map(), cursor: null };
export function reduceTasks(state, event) {
    return { ...mergeTasks(state, [event.task]), cursor: event.cursor };
}
export function mergeTasks(state, copies) {
    const tasks = new Map(state.tasks);
    for (const task of copies) {
        const old = tasks.get(task.id);
        if (!old || old.version <= task.version)
            tasks.set(task.id, task);
    }
    return { ...state, tasks };
}
