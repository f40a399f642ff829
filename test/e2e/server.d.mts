/** A running server. */
export interface Server {
  /** Where it answers: http://127.0.0.1:PORT. Another port after a restart. */
  readonly url: string;
  /** Signs a development user in and gives the token. */
  signIn(user: string): Promise<string>;
  /** Stops it in order and starts it again over the same database. */
  restart(): Promise<void>;
  /** Stops it in order; rejects with its log when it does not end cleanly. */
  stop(): Promise<void>;
}

/** Starts the real binary with more settings; rejects with its log when it does not come up. */
export function startServer(env?: Record<string, string>): Promise<Server>;
