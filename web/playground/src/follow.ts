import type { Client } from "graphql-ws";
import { messageStream } from "./operations";

/** Streams one conversation until the reply ends; returns the function that stops it earlier. */
export function followReply(
  socket: Client,
  turn: { conversationId: string; replyId?: string },
  onEvent: (payload: unknown) => void,
): () => void {
  const stop = socket.subscribe(
    { query: messageStream, variables: { conversationId: turn.conversationId } },
    {
      next(payload) {
        onEvent(payload);
        if (ends(payload.data, turn.replyId)) stop();
      },
      error: (error) => onEvent({ errors: Array.isArray(error) ? error : [describe(error)] }),
      complete() {},
    },
  );
  return stop;
}

// The stream sends MessageFinished for every reply, even if it had finished before.
function ends(data: any, replyId?: string) {
  const event = data?.messageStream;
  return event?.__typename === "MessageFinished" && event.message.id === replyId;
}

function describe(error: unknown) {
  if (error instanceof CloseEvent) return `socket closed: ${error.code} ${error.reason}`;
  return String(error);
}
