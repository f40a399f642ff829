// GraphQL clients as a front end uses them: fetch, and graphql-ws with token renewal.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

/** Sends one operation over HTTP and returns the status and the response. */
export async function post(server, token, query, variables) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...(await response.json()) };
}

/** Like post, but returns the data and throws on errors. */
export async function request(server, token, query, variables) {
  const { status, data, errors } = await post(server, token, query, variables);
  if (errors) throw new Error(`${status} ${JSON.stringify(errors)}`);
  return data;
}

/** A graphql-ws client. Calls getToken at each connection and, if renew is true, when the server announces token expiry. */
export function connect(server, getToken, { renew = false, seen = {} } = {}) {
  Object.assign(seen, { opened: 0, closed: [], renewed: 0 });
  let socket;
  const renewToken = async (payload) => {
    if (renew && payload?.errand === "token-expiring") {
      socket.send(JSON.stringify({ type: "ping", payload: { authorization: `Bearer ${await getToken()}` } }));
    }
  };
  return createClient({
    url: `${server.url.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0, lazy: true,
    connectionParams: async () => ({ authorization: `Bearer ${await getToken()}` }),
    on: {
      opened: (s) => { socket = s; seen.opened += 1; },
      closed: (event) => seen.closed.push(event.code),
      ping: (received, payload) => received && renewToken(payload),
      pong: (received, payload) => { if (received && payload?.errand === "token-accepted") seen.renewed += 1; },
    },
  });
}

const STREAM = `subscription ($id: ID!, $after: Cursor) { messageStream(conversationId: $id, after: $after) {
  __typename cursor
  ... on MessageAdded { message { id role content status } }
  ... on MessageDelta { messageId offset text }
  ... on MessageFinished { message { id content status } } } }`;

/** The messages of a conversation, rebuilt from its stream: content = content[0:offset] + text. */
export class ConversationState {
  texts = {};
  finished = {};
  after = null;

  /** Applies events until the message is finished (true) or the server closes the connection with 4403 (false). */
  async follow(client, id, messageId) {
    try {
      for await (const { data, errors } of client.iterate({ query: STREAM, variables: { id, after: this.after } })) {
        if (errors) throw new Error(JSON.stringify(errors));
        this.apply(data.messageStream);
        if (this.finished[messageId]) return true;
      }
    } catch (error) {
      if (error?.code !== 4403) throw error;
    }
    return false;
  }

  apply(event) {
    this.after = event.cursor;
    switch (event.__typename) {
      case "MessageAdded":
        this.texts[event.message.id] = event.message.content;
        break;
      case "MessageDelta": {
        const known = this.texts[event.messageId];
        if (event.offset > known.length) throw new Error(`gap: offset ${event.offset} after ${known.length}`);
        this.texts[event.messageId] = known.slice(0, event.offset) + event.text;
        break;
      }
      case "MessageFinished":
        this.finished[event.message.id] = event.message;
    }
  }
}
