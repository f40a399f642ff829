import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";
import { createErrand, emptyConversation, emptyTasks, errorCode, isFinished, reduceConversation, reduceTasks } from "@errand/client";
import { WebSocket } from "ws";
import { startServer } from "../server.mjs";
import { kinds } from "./kinds.mjs";
import { startLink } from "../link.mjs";

const secret = "a secret of the tests, longer than 32 bytes";
const server = await startServer({ BETTER_AUTH_SECRET: secret, AUTH_LEEWAY: "0s", RULES_PACE: "40ms" });
after(() => server.stop());

/** A token of a user that expires after some seconds. */
function token(user, seconds = 3600) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, iat: now - 5, exp: now + seconds })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const fields = `id position role content status toolCalls { id name status }`;
const messageStream = `subscription Messages($id: ID!, $after: Cursor) {
  messageStream(conversationId: $id, after: $after) {
    __typename cursor
    ... on MessageAdded { message { ${fields} } }
    ... on MessageDelta { messageId offset text }
    ... on ToolCallChanged { messageId toolCall { id name status } }
    ... on MessageFinished { message { ${fields} } }
  }
}`;
const taskStream = `subscription Tasks($after: Cursor) { taskStream(after: $after) { cursor kind task { id title version deletedAt } } }`;

/** Requests of a user directly to the server. The port changes at a restart. */
function direct(user) {
  const request = (document, variables) =>
    createErrand({ url: `${server.url}/graphql`, token: () => token(user), webSocketImpl: WebSocket }).mutate(document, variables);
  return {
    async send(content, conversationId) {
      const { sendMessage } = await request(
        `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { conversation { id } assistantMessage { id } } }`,
        { input: { content, conversationId } },
      );
      return sendMessage;
    },
    createTask: (title) => request(`mutation ($title: String!) { createTask(input: { title: $title }) { task { id } } }`, { title }),
    async messages(id) {
      const { conversation } = await request(`query ($id: ID!) { conversation(id: $id) { messages(last: 100) { nodes { ${fields} } } } }`, { id });
      return conversation.messages.nodes;
    },
    tasks: async () => (await request(`{ tasks(first: 100) { nodes { id title } } }`)).tasks.nodes,
    streamCursor: async () => (await request(`{ tasks { streamCursor } }`)).tasks.streamCursor,
    async finished(id) {
      for (;;) {
        const messages = await this.messages(id);
        if (messages.every((m) => isFinished(m.status))) return messages;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

/** The state that a client builds from the streams of a conversation and of the tasks. */
function watch(client, id, after) {
  const waiting = new Set();
  const state = { conversation: emptyConversation, tasks: emptyTasks, failures: [] };
  const changed = () => [...waiting].forEach((check) => check());
  const fail = (error) => {
    state.failures.push(error);
    changed();
  };
  const stops = [
    client.subscribe(messageStream, { id }, (data) => {
      state.conversation = reduceConversation(state.conversation, data.messageStream);
      assert.ok(!state.conversation.gap, "no gap");
      changed();
    }, fail),
    client.subscribe(taskStream, { after }, (data) => {
      state.tasks = reduceTasks(state.tasks, data.taskStream);
      changed();
    }, fail),
  ];
  return {
    state,
    /** Resolves when the condition holds; rejects when a subscription fails. */
    until: (condition) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (state.failures.length > 0) reject(state.failures[0]);
          else if (condition(state)) resolve();
          else return;
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    stop: () => stops.forEach((stop) => stop()),
  };
}

const texts = (messages) => messages.map(({ id, content, status, toolCalls }) => ({ id, content, status, toolCalls: toolCalls.map(({ id, name, status }) => ({ id, name, status })) }));
const text = (state) => state.conversation.messages.map((m) => m.content).join();

/** Runs body with a client behind a link that can be cut. */
async function withClient(kind, user, settings, body) {
  const link = await startLink(server);
  const client = kinds[kind]({ url: `${link.url}/graphql`, token: () => token(user), webSocketImpl: WebSocket, ...settings });
  try {
    await body(client, link);
  } finally {
    client.close();
    link.close();
  }
}

for (const kind of Object.keys(kinds)) {
  test(`nothing is lost when the server is killed and much happens while the client is away: ${kind}`, () => {
    const user = `away-${kind.replace(" ", "-")}`;
    const me = direct(user);
    return withClient(kind, user, {}, async (client, link) => {
      const { conversation } = await me.send("Hello");
      const view = watch(client, conversation.id, await me.streamCursor());
      await me.createTask("before");
      await view.until(({ tasks, conversation: c }) => tasks.tasks.size === 1 && c.messages.length === 2);
      const reply = await me.send("Add a task to buy milk", conversation.id);
      const started = view.until(({ conversation: c }) => c.messages.some((m) => m.id === reply.assistantMessage.id && m.content));
      await started;

      link.cut();
      await server.killAndRestart();
      for (const title of ["one", "two", "three"]) await me.createTask(title);
      await me.send("Add a task to call Bob", conversation.id);
      await me.send("What are my tasks?", conversation.id);
      const stored = await me.finished(conversation.id);
      link.mend();

      await view.until(({ conversation: c, tasks }) => c.messages.length === stored.length && c.messages.every((m) => isFinished(m.status)) && tasks.tasks.size === 6);
      assert.deepEqual(texts(view.state.conversation.messages), texts(stored));
      const titles = (await me.tasks()).map((t) => t.title).sort();
      assert.deepEqual([...view.state.tasks.tasks.values()].map((t) => t.title).sort(), titles);
      view.stop();
    });
  });

  test(`a token that expires during a reply is replaced and nothing is lost: ${kind}`, () => {
    const user = `expiry-${kind.replace(" ", "-")}`;
    const me = direct(user);
    const reasons = [];
    // The first token is not renewed in time.
    const first = { text: "" };
    const source = ({ reason }) => {
      reasons.push(reason);
      if (reason === "rejected") return token(user);
      return (first.text ||= token(user, 2));
    };
    return withClient(kind, user, { token: source }, async (client) => {
      const { conversation } = await me.send("Hello");
      await me.finished(conversation.id);
      const view = watch(client, conversation.id, await me.streamCursor());
      await view.until(({ conversation: c }) => c.messages.length === 2);
      while (!reasons.includes("rejected")) {
        await me.createTask("tick");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await me.send("Add a task to buy milk", conversation.id);
      const stored = await me.finished(conversation.id);
      const tasks = await me.tasks();
      await view.until(({ conversation: c, tasks: t }) => c.messages.length === 4 && c.messages.every((m) => isFinished(m.status)) && t.tasks.size === tasks.length);
      assert.deepEqual(texts(view.state.conversation.messages), texts(stored));
      view.stop();
    });
  });
}

test("a graceful restart during a reply loses nothing", () => {
  const me = direct("graceful");
  return withClient("createErrand", "graceful", {}, async (client) => {
    const { conversation } = await me.send("Add a task to buy milk");
    const view = watch(client, conversation.id, undefined);
    await view.until((state) => text(state).includes("Added"));
    await server.restart();
    const stored = await me.finished(conversation.id);
    await view.until(({ conversation: c }) => c.messages.every((m) => isFinished(m.status)));
    assert.deepEqual(texts(view.state.conversation.messages), texts(stored));
    view.stop();
  });
});

test("a token is renewed before it expires, without a new connection", () => {
  const reasons = [];
  let connections = 0;
  class Counting extends WebSocket {
    constructor(...args) {
      super(...args);
      connections++;
    }
  }
  const source = ({ reason }) => {
    reasons.push(reason);
    return token("renewed", reason === "use" ? 2 : 3600);
  };
  const me = direct("renewed");
  return withClient("createErrand", "renewed", { token: source, webSocketImpl: Counting }, async (client) => {
    const { conversation } = await me.send("Hello");
    const view = watch(client, conversation.id, await me.streamCursor());
    await new Promise((resolve) => setTimeout(resolve, 3000)); // longer than the first token lives
    await me.createTask("later");
    await view.until(({ tasks }) => tasks.tasks.size === 1);
    assert.deepEqual(reasons, ["use", "expiring"]);
    assert.equal(connections, 1);
    view.stop();
  });
});

test("a user whose new token is rejected, too, is signed out once, and can sign in again", async () => {
  const signedOut = [];
  const reasons = [];
  let valid = false;
  const source = ({ reason }) => {
    reasons.push(reason);
    return token("out", valid ? 3600 : -60);
  };
  const client = createErrand({ url: `${server.url}/graphql`, token: source, webSocketImpl: WebSocket, onSignedOut: (error) => signedOut.push(error) });
  const fail = () => new Promise((resolve) => client.subscribe(taskStream, {}, { next() {}, error: resolve }));
  const errors = await Promise.all([fail(), fail()]);
  assert.deepEqual(errors.map(errorCode), ["UNAUTHENTICATED", "UNAUTHENTICATED"]);
  assert.equal(signedOut.length, 1);
  assert.deepEqual(reasons, ["use", "rejected"]);

  await assert.rejects(client.query(`{ viewer { id } }`), (error) => errorCode(error) === "UNAUTHENTICATED");
  assert.equal(signedOut.length, 2);

  valid = true;
  const me = direct("out");
  const after = await me.streamCursor();
  const event = new Promise((resolve, reject) => client.subscribe(taskStream, { after }, { next: resolve, error: reject }));
  await me.createTask("again");
  assert.equal((await event).taskStream.task.title, "again");
  client.dispose();
});

test("without a token there are no retries", async () => {
  const signedOut = [];
  const client = createErrand({ url: `${server.url}/graphql`, token: () => null, webSocketImpl: WebSocket, onSignedOut: (error) => signedOut.push(error) });
  const error = await new Promise((resolve) => client.subscribe(taskStream, {}, { next() {}, error: resolve }));
  assert.equal(errorCode(error), "UNAUTHENTICATED");
  assert.equal(signedOut.length, 1);
  client.dispose();
});

test("a token that the issuer cannot renew at present delays the connection", async () => {
  let calls = 0;
  const source = () => {
    if (++calls < 3) throw new Error("offline");
    return token("late");
  };
  const me = direct("late");
  const after = await me.streamCursor();
  const client = createErrand({ url: `${server.url}/graphql`, token: source, webSocketImpl: WebSocket });
  const event = new Promise((resolve, reject) => client.subscribe(taskStream, { after }, { next: resolve, error: reject }));
  await me.createTask("on time");
  assert.equal((await event).taskStream.task.title, "on time");
  client.dispose();
});

test("queries wait for a server that restarts", async () => {
  const link = await startLink(server);
  const client = createErrand({ url: `${link.url}/graphql`, token: () => token("query"), webSocketImpl: WebSocket });
  link.cut();
  const answer = client.query(`{ tasks { nodes { id } } }`);
  setTimeout(() => link.mend(), 500);
  assert.deepEqual(await answer, { tasks: { nodes: [] } });
  link.close();
  client.dispose();
});

test("what happens between a list and its stream is not missed", async () => {
  const client = createErrand({ url: `${server.url}/graphql`, token: () => token("between"), webSocketImpl: WebSocket });
  const create = async (title) => {
    const document = `mutation ($title: String!) { createConversation(input: { title: $title }) { conversation { id } } createTask(input: { title: $title }) { task { id } } }`;
    return (await client.mutate(document, { title })).createConversation.conversation.id;
  };
  await create("before");
  const { tasks, conversations } = await client.query(`{ tasks { streamCursor } conversations { streamCursor } }`);
  const id = await create("between");
  const first = (text, after) => new Promise((resolve, reject) => client.subscribe(text, { after }, { next: resolve, error: reject }));
  const conversation = await first(
    `subscription ($after: Cursor) { conversationStream(after: $after) { cursor ... on ConversationChanged { conversation { id } } } }`,
    conversations.streamCursor,
  );
  assert.equal(conversation.conversationStream.conversation.id, id);
  assert.equal((await first(taskStream, tasks.streamCursor)).taskStream.task.title, "between");
  client.dispose();
});

test("a stream that is cut before its first event continues from its given cursor, without a reset", async () => {
  const me = direct("quiet");
  const after = await me.streamCursor();
  await withClient("createErrand", "quiet", {}, async (client, link) => {
    const errand = client.errand;
    let resets = 0;
    const connected = new Promise((resolve) => errand.socket.on("connected", resolve));
    const event = new Promise((next, error) => errand.subscribe(taskStream, { after }, { next, error, reset: () => resets++ }));
    await connected;
    await link.cut();
    await me.createTask("while away");
    link.mend();
    assert.equal((await event).taskStream.task.title, "while away");
    assert.equal(resets, 0);
  });
});
