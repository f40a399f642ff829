import type { ClientOptions } from "graphql-ws";
import { ErrandError } from "./errors.js";
import { backoff, pause, sharedToken, type TokenSource } from "./token.js";

/** Settings of the socket. */
export interface SocketSettings {
  /** URL of the endpoint: `https://host/graphql`, `wss://host/graphql` or, in a browser, `/graphql`. */
  url: string;
  /** Called at every connect and renewal. */
  token: TokenSource;
  /** Called when the server rejects a new token, too, or there is none: show the sign-in. */
  onSignedOut?: (error: ErrandError) => void;
  /** Called when the connection is back. Subscriptions that have received no event yet may have missed some: refetch. */
  onReconnect?: () => void;
  /** Milliseconds between pings; 10,000 by default. */
  keepAlive?: number;
  /** WebSocket class, for Node before version 22. */
  webSocketImpl?: unknown;
}

/** Milliseconds within which something must arrive after a ping. */
const pongTimeout = 5_000;

/** A connection that lasted this many milliseconds resets the back-off. */
const stable = 10_000;

/** What this module uses of a WebSocket. */
interface Socket {
  readonly readyState: number;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  onerror: unknown;
  onmessage: unknown;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/**
 * Options for `createClient` of graphql-ws with which a connection survives restarts of the server, lost networks, sleep
 * and expired tokens: endless retries with back-off and jitter, a fresh token at each connect, renewal while connected,
 * and pings. It ends when the user is signed out, or by a close code that reports a fault of the client, such as 4400.
 *
 * graphql-ws repeats subscriptions with their old variables after a reconnect: add `resume`, `resumeLink` or
 * `resumeExchange`, so that no event is lost.
 */
export function socketOptions(settings: SocketSettings): ClientOptions {
  const token = sharedToken(settings.token);
  let current: string | null | undefined;
  let socket: Socket | undefined;
  let since = 0; // time of connection_ack; 0 while not connected
  let attempts = 0; // since the last stable connection
  let rejections = 0; // tokens rejected in a row
  let signedOut = false;
  let lastCode = 0;
  let pong: ReturnType<typeof setTimeout> | undefined;

  const send = (to: Socket | undefined, type: string, payload?: object) => {
    if (to?.readyState === 1) to.send(JSON.stringify({ type, payload }));
  };
  const expectMessage = () => {
    const waiting = socket;
    pong ??= setTimeout(() => waiting && abandon(waiting), pongTimeout);
  };
  const received = () => {
    clearTimeout(pong);
    pong = undefined;
  };
  /** Ends a dead connection at once: a close handshake would wait for the network. */
  const abandon = (dead: Socket) => {
    const { onclose } = dead;
    dead.onclose = dead.onerror = dead.onmessage = null;
    dead.close(4499, "Terminated");
    onclose?.({ code: 4499, reason: "Terminated", wasClean: false });
  };
  /** Checks the connection after sleep or a change of networks. */
  const check = () => {
    if (!since || (typeof document !== "undefined" && document.visibilityState === "hidden")) return;
    send(socket, "ping");
    expectMessage();
  };
  const listen = (method: "addEventListener" | "removeEventListener") => {
    if (typeof document === "undefined") return;
    globalThis[method]("online", check);
    document[method]("visibilitychange", check);
  };

  return {
    // graphql-ws waits for the URL before it opens a socket, so that a token that is slow to arrive delays no init.
    url: async () => {
      for (let n = 0; ; n++) {
        try {
          current = await token(rejections > 0 ? "rejected" : "use");
          return socketURL(settings.url);
        } catch {
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
      // A server that restarts: others may be running.
      return pause(n === 0 && lastCode === 1012 ? Math.random() * 100 : backoff(n));
    },
    shouldRetry: () => !signedOut,
    ...(settings.webSocketImpl === undefined ? undefined : { webSocketImpl: settings.webSocketImpl }),
    on: {
      opened: (s) => {
        socket = s as Socket;
        signedOut = false;
      },
      connected: (_socket, _payload, wasRetry) => {
        since = Date.now();
        rejections = 0;
        listen("addEventListener");
        if (wasRetry) settings.onReconnect?.();
      },
      ping: (incoming, payload) => {
        if (!incoming) expectMessage();
        else if (payload?.["errand"] === "token-expiring") {
          const at = socket;
          token("expiring").then(
            (renewed) => renewed && send(at, "pong", { authorization: `Bearer ${renewed}` }),
            () => {}, // the connection ends with 4403, and the next one gets a token
          );
        }
      },
      message: received,
      error: () => (lastCode = 0),
      closed: (event) => {
        received();
        listen("removeEventListener");
        if (since && Date.now() - since > stable) attempts = 0;
        since = 0;
        const { code, reason } = event as { code: number; reason: string };
        lastCode = code;
        if (code !== 4401 && code !== 4403) return;
        // A deleted account must not be created again by the next token.
        const final = code === 4401 || /no longer exists/.test(reason);
        if (++rejections < 2 && !final) return;
        rejections = 0;
        signedOut = true;
        settings.onSignedOut?.(new ErrandError("UNAUTHENTICATED", reason || "Sign in again."));
      },
    },
  };
}

/** Converts the URL of the endpoint to that of its socket. */
function socketURL(url: string): string {
  const absolute = typeof location === "undefined" ? url : new URL(url, location.href).href;
  return absolute.replace(/^http/, "ws");
}
