// A client whose server is the test: requests wait until the test answers them, and subscriptions are fed by it.

export function fakeErrand() {
  const requests = [];
  const subscriptions = [];
  const request = (document, variables, options) =>
    new Promise((resolve, reject) => {
      const field = /\{\s*(\w+)/.exec(document.slice(document.indexOf("{")))[1];
      requests.push({ field, variables, options, resolve: (data) => resolve(data), reject });
      wake();
    });
  let wake = () => {};
  const errand = {
    query: request,
    mutate: request,
    subscribe(document, variables, observer) {
      const subscription = { document, variables, observer, open: true };
      subscriptions.push(subscription);
      return () => (subscription.open = false);
    },
    dispose() {},
  };
  return {
    errand,
    requests,
    subscriptions,
    open: () => subscriptions.filter((s) => s.open),
    /** Waits for the next request of a field and removes it from the list. */
    async next(field) {
      for (;;) {
        const at = requests.findIndex((r) => r.field === field);
        if (at >= 0) return requests.splice(at, 1)[0];
        await new Promise((resolve) => (wake = resolve));
      }
    },
  };
}

export const message = (position, role, content, status = "COMPLETED") => ({
  id: `msg_${position}`, position, role, content, status, error: null, toolCalls: [], changes: [],
  createdAt: "2026-11-27T08:00:00Z",
});

export const task = (number, changes = {}) => ({
  id: `task_${number}`, number, title: `Task ${number}`, description: "", completed: false, completedAt: null, priority: "NONE",
  dueOn: null, dueAt: null, labels: [], createdAt: "2026-11-27T08:00:00Z", updatedAt: "2026-11-27T08:00:00Z", deletedAt: null, version: 1, ...changes,
});
