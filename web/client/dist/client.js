import { print } from "graphql";
import { createClient } from "graphql-ws";
import { resumable, resumableText } from "./document.js";
import { ErrandError, retryAfterMs, toErrandError } from "./errors.js";
import { socketOptions } from "./socket.js";
import { backoff, pause, sharedToken } from "./token.js";
const passing = [1008, 1011, 1015];
export function createErrand(settings) {
    const socket = createClient(socketOptions(settings));
    const token = sharedToken(settings.token);
    const send = settings.fetch ?? fetch;
    const connection = observeConnection(socket);
    let disposed = false;
    async function post(query, variables, signal, rejected = false) {
        let response;
        let body;
        try {
            const bearer = await token(rejected ? "rejected" : "use");
            response = await send(settings.url, {
                method: "POST",
                headers: {
                    "content-type": "application/json",
                    accept: "application/graphql-response+json, application/json;q=0.9",
                    ...(bearer ? { authorization: `Bearer ${bearer}` } : undefined),
                },
                body: JSON.stringify({ query, variables }),
                signal: signal ?? null,
            });
            body = await response.json().catch((error) => {
                if (signal?.aborted)
                    throw error;
            });
        }
        catch (cause) {
            if (signal?.aborted)
                throw cause;
            throw new ErrandError("NETWORK_ERROR", "The server cannot be reached.", { cause });
        }
        if (body?.errors?.length) {
            const first = body.errors[0];
            if (first.extensions?.code === "UNAUTHENTICATED" && !body.data && !rejected) {
                return post(query, variables, signal, true);
            }
            const error = new ErrandError(first.extensions?.code ?? "INTERNAL_SERVER_ERROR", first.message, body);
            if (error.code === "UNAUTHENTICATED")
                settings.onSignedOut?.(error);
            throw error;
        }
        if (body?.data === undefined)
            throw new ErrandError("NETWORK_ERROR", `The server answered with status ${response.status}.`);
        return body.data;
    }
    async function request(document, variables, options) {
        const query = textOf(document);
        for (let n = 0;; n++) {
            try {
                return await post(query, variables, options.signal);
            }
            catch (error) {
                const wait = options.signal?.aborted || !options.retry || n >= 4 ? undefined : retryAfterMs(error);
                if (wait === undefined || wait > 10_000)
                    throw error;
                await pause(Math.max(toErrandError(error).extensions.retryAfterMs ?? 0, backoff(n)));
            }
        }
    }
    function subscribe(document, given, observer) {
        const isText = typeof document === "string" || document instanceof String;
        const stream = isText ? resumableText(String(document)) : resumable(document);
        if (!stream)
            throw new Error("@errand/client: subscribe takes a subscription.");
        const query = "document" in stream ? print(stream.document) : String(document);
        const variables = { ...given };
        let resumed = false;
        let known = connection.get() === "connected";
        let failures = 0;
        let ended = false;
        let stop = () => { };
        const forget = socket.on("connected", () => {
            if (known && variables[stream.variable] == null)
                observer.reset?.();
            known = true;
        });
        const end = () => {
            ended = true;
            forget();
        };
        const fail = async (thrown) => {
            if (ended)
                return;
            const error = toErrandError(thrown);
            let wait = retryAfterMs(error);
            const code = thrown?.code;
            if (typeof code === "number" && !passing.includes(code))
                wait = undefined;
            if (resumed && error.code === "BAD_USER_INPUT" && error.extensions.field === "after") {
                delete variables[stream.variable];
                resumed = false;
                wait = 0;
                observer.reset?.();
            }
            if (wait === undefined) {
                end();
                observer.error?.(error);
                return;
            }
            await pause(Math.max(wait, backoff(failures++)));
            if (!ended && !disposed)
                open();
        };
        const open = () => {
            stop = socket.subscribe({ query, variables }, {
                next: ({ data, errors }) => {
                    if (errors)
                        return void (stop(), fail(errors));
                    failures = 0;
                    const cursor = stream.cursor(data);
                    if (cursor) {
                        variables[stream.variable] = cursor;
                        resumed = true;
                    }
                    if (!ended)
                        observer.next(data);
                },
                error: (thrown) => void fail(thrown),
                complete: () => {
                    if (ended || disposed)
                        return;
                    end();
                    observer.complete?.();
                },
            });
        };
        open();
        return () => {
            end();
            stop();
        };
    }
    return {
        query: (document, variables, options) => request(document, variables, { retry: true, ...options }),
        mutate: (document, variables, options) => request(document, variables, { ...options }),
        subscribe: (document, variables, observer) => subscribe(document, variables, observer),
        connection,
        dispose() {
            disposed = true;
            void Promise.resolve(socket.dispose()).catch(() => { });
        },
        socket,
    };
}
function observeConnection(socket) {
    const listeners = new Set();
    let state = "idle";
    const become = (next) => {
        if (next === state)
            return;
        state = next;
        for (const listener of [...listeners])
            listener();
    };
    socket.on("connecting", (isRetry) => become(isRetry || state === "lost" ? "lost" : "connecting"));
    socket.on("connected", () => become("connected"));
    socket.on("closed", (event) => {
        const { code } = event;
        become(code === 1000 || code === 4401 || code === 4403 ? "idle" : "lost");
    });
    return {
        get: () => state,
        subscribe: (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
    };
}
const texts = new WeakMap();
function textOf(document) {
    if (typeof document === "string" || document instanceof String)
        return String(document);
    let text = texts.get(document);
    if (!text)
        texts.set(document, (text = print(document)));
    return text;
}
