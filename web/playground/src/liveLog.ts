/** One subscription payload, formatted for display. */
export interface LiveEvent {
  /** Position in the log, from 1. */
  key: number;
  /** Local time of arrival, with milliseconds. */
  time: string;
  type: string;
  detail: string;
}

/** The text of a reply so far, built from its events. */
export interface LiveReply {
  messageId: string;
  text: string;
  status: string;
}

export interface LiveLog {
  events: LiveEvent[];
  /** The newest replies of the conversation, in order. */
  replies: LiveReply[];
}

export const emptyLog: LiveLog = { events: [], replies: [] };

/** Maximum number of events; older ones are dropped. */
export const KEPT_EVENTS = 200;

/** Maximum number of replies: the current one and those that wait for their turn. */
const KEPT_REPLIES = 10;

/** Maximum length of the displayed JSON of one event. */
const DETAIL_CHARS = 2_000;

/** Adds one payload to the log. */
export function addPayload(log: LiveLog, payload: unknown): LiveLog {
  const { name, event } = eventIn(payload);
  const { __typename: type = name, ...rest } = event;
  const last = log.events.at(-1)?.key ?? 0;
  const entry = { key: last + 1, time: clock(), type, detail: shortened(JSON.stringify(rest)) };
  return {
    events: [...log.events.slice(1 - KEPT_EVENTS), entry],
    replies: applyToReplies(log.replies, event).slice(-KEPT_REPLIES),
  };
}

/** The reply to display: the one that is being written, else the newest. Replies are written in order. */
export function currentReply({ replies }: LiveLog): LiveReply | undefined {
  return replies.find(({ status }) => isUnfinished(status)) ?? replies.at(-1);
}

export function isUnfinished(status: string) {
  return status === "PENDING" || status === "STREAMING";
}

/** Applies a MessageEvent: content = content[0:offset] + text, so repeated deltas are harmless. */
function applyToReplies(replies: LiveReply[], event: any): LiveReply[] {
  switch (event.__typename) {
    case "MessageAdded":
    case "MessageFinished": {
      const { id, role, content = "", status = "" } = event.message ?? {};
      return role === "USER" ? replies : put(replies, { messageId: id, text: content, status });
    }
    case "MessageDelta": {
      const { messageId, offset, text } = event;
      const known = replies.find((reply) => reply.messageId === messageId)?.text ?? "";
      return put(replies, { messageId, text: known.slice(0, offset) + text, status: "STREAMING" });
    }
    default:
      return replies;
  }
}

function put(replies: LiveReply[], changed: LiveReply): LiveReply[] {
  if (!replies.some(({ messageId }) => messageId === changed.messageId)) return [...replies, changed];
  return replies.map((reply) => (reply.messageId === changed.messageId ? changed : reply));
}

/** The payload's root field and its value; the payload itself if it contains errors only. */
function eventIn(payload: any): { name: string; event: any } {
  const [field] = Object.entries(payload?.data ?? {});
  if (!field?.[1]) return { name: "errors", event: payload };
  return { name: field[0], event: field[1] };
}

function shortened(json: string) {
  if (json.length <= DETAIL_CHARS) return json;
  return `${json.slice(0, DETAIL_CHARS)}… (${json.length.toLocaleString("en")} characters)`;
}

function clock() {
  const now = new Date();
  return `${now.toLocaleTimeString("en-GB")}.${String(now.getMilliseconds()).padStart(3, "0")}`;
}
