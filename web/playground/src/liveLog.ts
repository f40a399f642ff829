/** One subscription payload, formatted for display. */
export interface LiveEvent {
  key: number;
  /** Local time of arrival, with milliseconds. */
  time: string;
  type: string;
  detail: string;
}

/** The text of a message so far, built from its events. */
export interface LiveReply {
  messageId: string;
  text: string;
  status: string;
}

export interface LiveLog {
  events: LiveEvent[];
  reply: LiveReply | null;
}

export const emptyLog: LiveLog = { events: [], reply: null };

/** Maximum number of events; older ones are dropped. */
const KEPT_EVENTS = 200;

/** Adds one payload to the log. */
export function addPayload(log: LiveLog, payload: unknown): LiveLog {
  const { name, event } = eventIn(payload);
  const { __typename: type = name, ...rest } = event;
  const last = log.events.at(-1)?.key ?? 0;
  const entry = { key: last + 1, time: clock(), type, detail: JSON.stringify(rest) };
  return {
    events: [...log.events.slice(1 - KEPT_EVENTS), entry],
    reply: applyToReply(log.reply, event),
  };
}

/** Applies a MessageEvent: content = content[0:offset] + text, so repeated deltas are harmless. */
function applyToReply(reply: LiveReply | null, event: any): LiveReply | null {
  switch (event.__typename) {
    case "MessageAdded":
    case "MessageFinished": {
      const { id, role, content = "", status = "" } = event.message ?? {};
      return role === "USER" ? reply : { messageId: id, text: content, status };
    }
    case "MessageDelta": {
      const known = reply?.messageId === event.messageId ? reply!.text : "";
      return {
        messageId: event.messageId,
        text: known.slice(0, event.offset) + event.text,
        status: "STREAMING",
      };
    }
    default:
      return reply;
  }
}

/** The payload's root field and its value; the payload itself if it contains errors only. */
function eventIn(payload: any): { name: string; event: any } {
  const [field] = Object.entries(payload?.data ?? {});
  if (!field?.[1]) return { name: "errors", event: payload };
  return { name: field[0], event: field[1] };
}

function clock() {
  const now = new Date();
  return `${now.toLocaleTimeString("en-GB")}.${String(now.getMilliseconds()).padStart(3, "0")}`;
}
