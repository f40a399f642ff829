import { addPayload, emptyLog, type LiveLog } from "./liveLog";
import { messageStream } from "./operations";
import type { Socket } from "./socket";
import { Store } from "./store";

const STORED = "errand:conversation";

export interface ConversationState {
  /** The conversation's id, or "" before the first message. */
  id: string;
  log: LiveLog;
  /** Whether the page streams the conversation by itself. */
  follow: boolean;
}

/**
 * The conversation of the page: the one to which the last message was sent. Its events are streamed into the log. It is
 * kept over a reload, only in this browser tab, together with the cursor of the last event, so that the stream
 * continues after it.
 */
export class Conversation {
  readonly state: Store<ConversationState>;
  #socket: Socket;
  #cursor: string | null;
  /** Ends the page's own stream; null when there is none. */
  #stop: (() => void) | null = null;
  /** The subscription of the user to the same conversation, which replaces the page's stream while it runs. */
  #holder: symbol | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { cursor, ...state } = load();
    this.#cursor = cursor;
    this.state = new Store(state);
    window.addEventListener("pagehide", this.#save);
    this.#stream();
  }

  /** Makes id the page's conversation and streams it. */
  open(id: string) {
    if (id !== this.state.get().id) {
      this.#end();
      this.#cursor = null;
      this.#holder = null;
      this.#change({ id, log: { ...this.state.get().log, replies: [] } });
      this.#save();
    }
    this.#stream();
  }

  /** Leaves the conversation; the next message starts a new one. */
  close() {
    this.open("");
    this.clearLog();
  }

  follow(follow: boolean) {
    this.#change({ follow });
    if (follow) this.#stream();
    else this.#end();
  }

  clearLog() {
    this.#change({ log: emptyLog });
    this.#save();
  }

  /** Adds the payload of a subscription that the user runs. */
  add = (payload: unknown) => this.#change({ log: addPayload(this.state.get().log, payload) });

  /**
   * Replaces the page's stream by one that the user runs, so that no event appears twice. Returns a function that takes
   * the user's payloads, and one that continues the page's stream.
   */
  hold(id: string) {
    this.open(id);
    this.#end();
    const holder = (this.#holder = Symbol());
    return {
      add: (payload: any) => {
        if (this.#holder === holder) this.#received(payload);
        else this.add(payload);
      },
      release: () => {
        if (this.#holder !== holder) return;
        this.#holder = null;
        this.#stream();
      },
    };
  }

  #stream() {
    const { id, follow } = this.state.get();
    if (!id || !follow || this.#stop || this.#holder) return;
    const end = this.#socket.subscribe(
      { query: messageStream, variables: { conversationId: id, after: this.#cursor } },
      {
        next: (payload) => this.#received(payload),
        error: (errors) => {
          this.#stop = null;
          this.add({ errors });
          // Deleted, of another user, or of a database that no longer exists.
          if (errors.some((error: any) => error.extensions?.code === "NOT_FOUND")) this.open("");
        },
        complete: () => {
          if (this.#stop !== end) return; // ended by the page
          this.#stop = null;
          this.add({ data: { messageStream: { __typename: "complete" } } });
          this.open(""); // the conversation was deleted
        },
      },
    );
    this.#stop = end;
  }

  #end() {
    this.#stop?.();
    this.#stop = null;
  }

  #received(payload: any) {
    const cursor = payload?.data?.messageStream?.cursor;
    if (typeof cursor === "string") this.#cursor = cursor;
    this.add(payload);
  }

  #change(change: Partial<ConversationState>) {
    this.state.set({ ...this.state.get(), ...change });
  }

  #save = () => {
    const record = { ...this.state.get(), cursor: this.#cursor };
    try {
      sessionStorage.setItem(STORED, JSON.stringify(record));
    } catch {
      // Too large. Without its log and cursor, the stream starts with the newest turn after a reload.
      sessionStorage.setItem(STORED, JSON.stringify({ ...record, log: emptyLog, cursor: null }));
    }
  };
}

function load(): ConversationState & { cursor: string | null } {
  const initial = { id: "", log: emptyLog, follow: true, cursor: null };
  try {
    return { ...initial, ...JSON.parse(sessionStorage.getItem(STORED) ?? "{}") };
  } catch {
    return initial;
  }
}
