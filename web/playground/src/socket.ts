import { createClient, type Client } from "graphql-ws";
import { base } from "./base";
import type { Session } from "./session";

/** The state of the WebSocket; it is open only while there are subscriptions. */
export type SocketState = "idle" | "connecting" | "connected";

/** Close code for a rejected connection_init, usually because of the token. */
const FORBIDDEN = 4403;

/** Opens the WebSocket shared by all subscriptions, as the session's user. */
export function openSocket(session: Session, onState: (state: SocketState) => void): Client {
  let sent: string | null = null;
  return createClient({
    url: new URL("graphql", base).href.replace(/^http/, "ws"),
    // Called for every connection, so that a reconnect after a switch or an expiry sends the current token.
    connectionParams: async () => {
      sent = await session.token();
      return sent ? { authorization: `Bearer ${sent}` } : {};
    },
    retryAttempts: 20,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, backoffMs(retries))),
    shouldRetry: (event) => closeCode(event) !== FORBIDDEN || session.refuse(sent),
    on: {
      connecting: () => onState("connecting"),
      connected: () => onState("connected"),
      closed: () => onState("idle"),
    },
  });
}

/** No delay for the first retry (after a switch of users, for example), then doubling up to 10 s, with jitter. */
function backoffMs(retries: number) {
  return retries === 0 ? 0 : Math.min(10_000, 250 * 2 ** retries) * (0.5 + Math.random() / 2);
}

function closeCode(event: unknown) {
  return event instanceof CloseEvent ? event.code : undefined;
}
