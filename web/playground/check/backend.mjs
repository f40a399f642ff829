// A fake GraphQL server: the check decides when each event is sent.
import { buildSchema, graphql } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

// The real schema, which validates the page's documents.
const folder = new URL("../../../graph/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".graphqls"));
const schema = buildSchema(files.map((name) => readFileSync(new URL(name, folder), "utf8")).join("\n"));

/** Starts the server on a free port. */
export async function startBackend() {
  const backend = new Backend();
  const server = createServer((request, response) => backend.answer(request, response));
  const sockets = new WebSocketServer({ server, path: "/graphql" });
  useServer(
    {
      schema,
      roots: { subscription: backend.subscriptions() },
      context: ({ connectionParams }) => ({ user: backend.userOf(connectionParams?.authorization) }),
      // Returning false closes the socket with 4403, as the real server does.
      onConnect: ({ connectionParams }) => backend.connects(connectionParams?.authorization),
    },
    sockets,
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  backend.url = `http://127.0.0.1:${server.address().port}`;
  backend.dropSockets = () => sockets.clients.forEach((socket) => socket.terminate());
  backend.stop = () => {
    backend.dropSockets();
    server.closeAllConnections();
    server.close();
  };
  return backend;
}

class Backend {
  /** Users in the order in which they signed in, sent an HTTP request, opened a socket. */
  signIns = [];
  httpUsers = [];
  socketUsers = [];
  /** The variables of each messageStream, in the order in which they were opened. */
  opened = [];
  #tokens = new Map();
  #streams = new Set();
  #waiting = [];
  #cursor = 0;

  userOf(authorization) {
    return this.#tokens.get(authorization?.replace("Bearer ", ""));
  }

  connects(authorization) {
    const user = this.userOf(authorization);
    this.socketUsers.push(user);
    return user !== undefined;
  }

  /** Invalidates all tokens, as a new signing key would. */
  forgetTokens() {
    this.#tokens.clear();
  }

  issueToken(user) {
    const token = `secret-${user}-${this.signIns.length}`;
    this.#tokens.set(token, user);
    return token;
  }

  /** The number of open subscriptions of a topic. */
  listeners(topic) {
    return [...this.#streams].filter((stream) => stream.topic === topic).length;
  }

  /** Sends an event to all subscribers of the topic; returns its cursor. */
  emit(topic, event) {
    const cursor = String(++this.#cursor);
    for (const stream of this.#streams) {
      if (stream.topic === topic) stream.push({ cursor, ...event });
    }
    return cursor;
  }

  /** Completes all subscriptions of the topic, as the deletion of a conversation does. */
  complete(topic) {
    for (const stream of this.#streams) if (stream.topic === topic) void stream.end();
  }

  async answer(request, response) {
    const body = JSON.parse(await text(request));
    const send = (status, value) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.url === "/dev/sign-in") return send(200, this.#signIn(body.user));
    const user = this.userOf(request.headers.authorization);
    this.httpUsers.push(user);
    if (request.headers.authorization && !user) {
      return send(401, { errors: [{ message: "The token is not valid." }] });
    }
    const rootValue = {
      tasks: tasksOf(user),
      createConversation: { conversation: { id: `conv_${user}` } },
      sendMessage: ({ input }) => this.#send(user, input),
    };
    send(200, await graphql({ schema, source: body.query, rootValue, variableValues: body.variables }));
  }

  /** Answers only when the conversation is streamed: a page that subscribes after the answer waits forever. */
  async #send(user, { conversationId, content }) {
    if (conversationId) await new Promise((resolve) => this.#whenStreamed(`${user} ${conversationId}`, resolve));
    return turnOf(user, content);
  }

  #whenStreamed(topic, then) {
    if (this.listeners(topic) > 0) then();
    else this.#waiting.push(() => this.#whenStreamed(topic, then));
  }

  /** Drops all sockets, as a restart of the server does. */
  dropSockets = () => {};

  #signIn(user) {
    this.signIns.push(user);
    return { token: this.issueToken(user), user, expiresAt: new Date(Date.now() + 3600_000).toISOString() };
  }

  subscriptions() {
    return {
      messageStream: ({ conversationId, after }, { user }) => {
        this.opened.push({ conversationId, after });
        return this.#stream("messageStream", `${user} ${conversationId}`);
      },
      taskStream: (_, { user }) => this.#stream("taskStream", user),
    };
  }

  #stream(field, topic) {
    const waiting = [];
    let wake = () => {};
    const push = (event) => (waiting.push({ [field]: event }), wake());
    const stream = { topic, push, end: () => iterator.return() };
    this.#streams.add(stream);
    this.#waiting.splice(0).forEach((retry) => retry());
    const streams = this.#streams;
    let open = true;
    const iterator = {
      async next() {
        while (open && waiting.length === 0) await new Promise((resolve) => (wake = resolve));
        return open ? { value: waiting.shift(), done: false } : { value: undefined, done: true };
      },
      async return() {
        open = false;
        streams.delete(stream);
        wake();
        return { value: undefined, done: true };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    return iterator;
  }
}

function tasksOf(user) {
  const node = task(1, `${user}'s task`);
  return { edges: user ? [{ node }] : [], pageInfo: { hasNextPage: false, endCursor: null } };
}

function turnOf(user, content) {
  return {
    conversation: { id: `conv_${user}` },
    userMessage: { id: "msg_1", role: "USER", content, status: "COMPLETED" },
    assistantMessage: { id: "msg_2", role: "ASSISTANT", content: "", status: "PENDING" },
  };
}

async function text(stream) {
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}

/** An assistant message for an event. */
export const message = (content, status) => ({ id: "msg_2", role: "ASSISTANT", content, status });

/** A task for an event or a result. */
export const task = (number, title = "buy groceries") => ({
  id: `task_${number}`,
  number,
  title,
  completed: false,
  priority: "NONE",
  dueOn: null,
});

/** A tool call for an event. */
export function call(name) {
  return { id: "call_1", name, arguments: { title: "buy groceries" }, status: "SUCCEEDED", result: { task: task(1) } };
}
