export function sharedToken(source) {
    const running = new Map();
    return (reason) => {
        let token = running.get(reason);
        if (!token) {
            token = (async () => source({ reason }))().finally(() => running.delete(reason));
            running.set(reason, token);
        }
        return token;
    };
}
export function pause(ms) {
    return new Promise((resolve) => {
        const scope = globalThis;
        const done = () => {
            clearTimeout(timer);
            scope.removeEventListener?.("online", done);
            resolve();
        };
        const timer = setTimeout(done, ms);
        scope.addEventListener?.("online", done);
    });
}
export const backoff = (n) => Math.min(30_000, 500 * 2 ** n) * (0.5 + Math.random() / 2);
