import { ErrandError } from "./errors.js";
import { backoff, pause, sharedToken } from "./token.js";
const pongTimeout = 5_000;
const stable = 10_000;
export function socketOptions(settings) {
    const token = sharedToken(settings.token);
    let current;
    let socket;
    let since = 0;
    let attempts = 0;
    let rejections = 0;
    let signedOut = false;
    let lastCode = 0;
    let pong;
    const send = (to, type, payload) => {
        if (to?.readyState === 1)
            to.send(JSON.stringify({ type, payload }));
    };
    const expectMessage = () => {
        const waiting = socket;
        pong ??= setTimeout(() => waiting && abandon(waiting), pongTimeout);
    };
    const received = () => {
        clearTimeout(pong);
        pong = undefined;
    };
    const abandon = (dead) => {
        const { onclose } = dead;
        dead.onclose = dead.onerror = dead.onmessage = null;
        dead.close(4499, "Terminated");
        onclose?.({ code: 4499, reason: "Terminated", wasClean: false });
    };
    const check = () => {
        if (!since || (typeof document !== "undefined" && document.visibilityState === "hidden"))
            return;
        send(socket, "ping");
        expectMessage();
    };
    const listen = (method) => {
        if (typeof document === "undefined")
            return;
        globalThis[method]("online", check);
        document[method]("visibilitychange", check);
    };
    return {
        url: async () => {
            for (let n = 0;; n++) {
                try {
                    current = await token(rejections > 0 ? "rejected" : "use");
                    return socketURL(settings.url);
                }
                catch {
                    await pause(backoff(n));
                }
            }
        },
        connectionParams: () => (current ? { authorization: `Bearer ${current}` } : {}),
        lazy: true,
        lazyCloseTimeout: 3_000,
        keepAlive: settings.keepAlive ?? 10_000,
        connectionAckWaitTimeout: 10_000,
        retryAttempts: Infinity,
        retryWait: () => {
            const n = attempts++;
            return pause(n === 0 && lastCode === 1012 ? Math.random() * 100 : backoff(n));
        },
        shouldRetry: () => !signedOut,
        ...(settings.webSocketImpl === undefined ? undefined : { webSocketImpl: settings.webSocketImpl }),
        on: {
            opened: (s) => {
                socket = s;
                signedOut = false;
            },
            connected: (_socket, _payload, wasRetry) => {
                since = Date.now();
                rejections = 0;
                listen("addEventListener");
                if (wasRetry)
                    settings.onReconnect?.();
            },
            ping: (incoming, payload) => {
                if (!incoming)
                    expectMessage();
                else if (payload?.["errand"] === "token-expiring") {
                    const at = socket;
                    token("expiring").then((renewed) => renewed && send(at, "pong", { authorization: `Bearer ${renewed}` }), () => { });
                }
            },
            message: received,
            error: () => (lastCode = 0),
            closed: (event) => {
                received();
                listen("removeEventListener");
                if (since && Date.now() - since > stable)
                    attempts = 0;
                since = 0;
                const { code, reason } = event;
                lastCode = code;
                if (code !== 4401 && code !== 4403)
                    return;
                const final = code === 4401 || /no longer exists/.test(reason);
                if (++rejections < 2 && !final)
                    return;
                rejections = 0;
                signedOut = true;
                settings.onSignedOut?.(new ErrandError("UNAUTHENTICATED", reason || "Sign in again."));
            },
        },
    };
}
function socketURL(url) {
    const absolute = typeof location === "undefined" ? url : new URL(url, location.href).href;
    return absolute.replace(/^http/, "ws");
}
