/** A running server. */
export interface Server {
  /** The base URL, http://127.0.0.1:PORT. */
  readonly url: string;
  /** Signs a development user in and returns the token. */
  signIn(user: string): Promise<string>;
  /** Stops the server gracefully and starts it again with the same database. */
  restart(whileDown?: () => Promise<void>): Promise<void>;
  /** Kills the server and starts it again with the same database. */
  killAndRestart(whileDown?: () => Promise<void>): Promise<void>;
  /** Stops the server gracefully; rejects with its log if the exit code is not 0. */
  stop(): Promise<void>;
}

/** Starts the binary with additional settings; rejects with its log if it does not start. */
export function startServer(env?: Record<string, string>): Promise<Server>;
