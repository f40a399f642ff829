import type { ClientOptions } from "graphql-ws";
import { ErrandError } from "./errors.js";
import { type TokenSource } from "./token.js";
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
/**
 * Options for `createClient` of graphql-ws with which a connection survives restarts of the server, lost networks, sleep
 * and expired tokens: endless retries with back-off and jitter, a fresh token at each connect, renewal while connected,
 * and pings. It ends when the user is signed out, or by a close code that reports a fault of the client, such as 4400.
 *
 * graphql-ws repeats subscriptions with their old variables after a reconnect: add `resume`, `resumeLink` or
 * `resumeExchange`, so that no event is lost.
 */
export declare function socketOptions(settings: SocketSettings): ClientOptions;
