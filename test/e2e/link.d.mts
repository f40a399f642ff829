/** A connection between a client and the server that a test can cut. */
export interface Link {
  readonly port: number;
  /** The base URL, as the server's. */
  readonly url: string;
  /** Number of connections accepted so far. */
  readonly connections: number;
  /** Resets all connections; new ones are accepted. */
  drop(): Promise<void>;
  /** Resets all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Refuses new connections; those in place end with the server's own close frames. */
  refuse(): void;
  /** Accepts connections again. */
  mend(): void;
  /** Closes all connections and stops listening. */
  close(): void;
}

/** Forwards the connections to a free port to the address that the server has at that time. */
export function startLink(server: { readonly url: string }): Promise<Link>;
