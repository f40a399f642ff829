import { createClient, type Client, type SubscribePayload } from "graphql-ws";
import { base } from "./base";
import { Resumable } from "./resumable";
import type { ServerStatus } from "./serverStatus";
import type { Session } from "./session";
import { Store } from "./store";

/**
 * The state of the WebSocket, which is open only while there are subscriptions. Blocked means that several attempts to
 * connect have failed; they continue.
 */
export type SocketState = "idle" | "connecting" | "connected" | "reconnecting" | "blocked";

export interface Sink {
  next(payload: any): void;
  /** The subscription has ended with these GraphQL errors. */
  error(errors: { message: string }[]): void;
  complete(): void;
}

/** Close code for a rejected connection_init, or an expired token. */
const FORBIDDEN = 4403;

/** Failed attempts to connect after which the state is "blocked". */
const BLOCKED_AFTER = 3;

const LONGEST_PAUSE_MS = 5_000;

/** A connection that lasted for less is not replaced at once. */
const STABLE_MS = 1_000;

/**
 * The WebSocket of all subscriptions, as the session's user. It reconnects until it succeeds, with a current token each
 * time, and subscriptions with a cursor variable continue after the last event that they have received.
 */
export class Socket {
  readonly state = new Store<SocketState>("idle");
  #client: Client;
  #active = new Set<Resumable>();
  #connectedAt = 0;
  /** Ends the pause before the next attempt to connect. */
  #hurry = () => {};

  constructor(session: Session, server: ServerStatus) {
    let sent: string | null = null;
    this.#client = createClient({
      url: new URL("graphql", base).href.replace(/^http/, "ws"),
      connectionParams: async () => {
        sent = await session.token();
        return sent ? { authorization: `Bearer ${sent}` } : {};
      },
      retryAttempts: Infinity,
      retryWait: async (retries) => {
        if (retries > 0) server.check();
        if (retries >= BLOCKED_AFTER) this.state.set("blocked");
        await this.#pause(retries);
      },
      shouldRetry: (event) =>
        !(event instanceof CloseEvent) || event.code !== FORBIDDEN || session.refuse(sent, event.reason),
      on: {
        connecting: (isRetry) => void (isRetry || this.state.set("connecting")),
        connected: () => {
          this.#connectedAt = Date.now();
          this.state.set("connected");
          server.found();
        },
        closed: () => {
          if (this.#active.size === 0) this.state.set("idle");
          else if (this.state.get() !== "blocked") this.state.set("reconnecting");
        },
      },
    });
    server.state.subscribe(() => server.state.get() === "up" && this.#hurry());
  }

  /** Starts a subscription; returns the function that ends it. */
  subscribe(request: SubscribePayload, sink: Sink): () => void {
    const subscription = new Resumable(request);
    const forget = () => {
      this.#active.delete(subscription);
      if (this.#active.size === 0) this.state.set("idle");
    };
    this.#active.add(subscription);
    this.#hurry();
    const end = this.#client.subscribe(subscription.payload, {
      next(result) {
        subscription.received(result.data);
        sink.next(result);
      },
      error(reason) {
        forget();
        sink.error(errorsIn(reason));
      },
      complete() {
        forget();
        sink.complete();
      },
    });
    return () => {
      forget();
      end();
    };
  }

  /** Connects again as the session's new user. Cursors belong to one user, so every stream starts from the beginning. */
  switchUser() {
    for (const subscription of this.#active) subscription.restart();
    this.#client.terminate();
    this.#hurry();
  }

  /** Resolves when the subscriptions have been sent, or after the time if the socket does not connect. */
  sent(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        resolve();
      };
      // graphql-ws sends the subscriptions in microtasks after "connected".
      const check = () => void (this.state.get() === "connected" && setTimeout(done));
      const unsubscribe = this.state.subscribe(check);
      setTimeout(done, withinMs);
      check();
    });
  }

  /** No pause before the first attempt (after a restart of the server, for example); then doubling, with jitter. */
  #pause(retries: number): Promise<void> {
    if (retries === 0 && Date.now() - this.#connectedAt > STABLE_MS) return Promise.resolve();
    const ms = Math.min(LONGEST_PAUSE_MS, 250 * 2 ** retries) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, ms);
    });
  }
}

/** The errors with which a subscription ended, or its connection. */
function errorsIn(reason: unknown): { message: string }[] {
  if (Array.isArray(reason)) return reason;
  if (reason instanceof CloseEvent) {
    return [{ message: `The server closed the WebSocket: ${reason.code} ${reason.reason}`.trim() }];
  }
  return [{ message: reason instanceof Error ? reason.message : String(reason) }];
}
