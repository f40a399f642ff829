// Errand's GraphQL as a front end uses it: fetch, and graphql-ws with tokens that are renewed.
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

/** Like post, but throws on errors. */
export async function ask(server, token, query, variables) {
  const { status, data, errors } = await post(server, token, query, variables);
  if (errors) throw new Error(`${status} ${JSON.stringify(errors)}`);
  return data;
}

/** A graphql-ws client. getToken is asked at each connection, and, when renew is true, whenever the server says that the token ends. */
export function connect(server, getToken, { renew = false, seen = {} } = {}) {
  Object.assign(seen, { opened: 0, closed: [], renewed: 0 });
  let socket;
  const answerNotice = async (payload) => {
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
      ping: (received, payload) => received && answerNotice(payload),
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
export class Talk {
  texts = {};
  finished = {};
  after = null;

  /** Follows until the message is finished or the connection ends; true when finished. */
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

  apply(e) {
    this.after = e.cursor;
    switch (e.__typename) {
      case "MessageAdded":
        this.texts[e.message.id] = e.message.content;
        break;
      case "MessageDelta": {
        const known = this.texts[e.messageId];
        if (e.offset > known.length) throw new Error(`a gap: text at ${e.offset}, known are ${known.length}`);
        this.texts[e.messageId] = known.slice(0, e.offset) + e.text;
        break;
      }
      case "MessageFinished":
        this.finished[e.message.id] = e.message;
    }
  }
}
