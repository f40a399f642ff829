import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { codesOf, type Client, type ClientKind } from "./client.js";
import { iterate } from "./iterate.js";
import * as g from "./generated.js";
import { fetchAll } from "./pages.js";
import { ConversationState, type MessageEvent } from "./conversation.js";
import { withUser, createTasks } from "./environment.js";

/** Registers the tests that every client library must pass. */
export function testClient(kind: ClientKind) {
  describe(kind.name, { concurrency: true }, () => {
    it("streams a reply and its tool call", () => withUser(kind, streams));
    it("resumes after the connection was cut during a stream", () => withUser(kind, resumes));
    it("cancels a long reply", () => withUser(kind, cancels));
    it("follows changes of tasks and resumes", () => withUser(kind, followsTasks));
    it("pages through tasks", () => withUser(kind, pages));
    it("receives error codes and no data of other users", () => withUser(kind, ({ client }) => errorCodes(kind, client)));
    it("is rejected with an invalid token", () => withUser({ ...kind, connect: (url) => kind.connect(url, "bad") }, badToken));
  });
}

async function streams({ client }: { client: Client }) {
  const { conversation, userMessage, assistantMessage } = await send(client, "Add a task to buy groceries");
  const state = new ConversationState();
  await watch(client, conversation.id, state, finished(assistantMessage.id));

  assert.equal(state.message(userMessage.id).content, "Add a task to buy groceries");
  const reply = state.message(assistantMessage.id);
  assert.equal(reply.status, "COMPLETED");
  assert.match(reply.content, /Buy groceries/);
  await assertStored(client, reply);
  const [call] = reply.toolCalls;
  assert.equal(call?.name, "add_task");
  assert.equal(state.callStates.get(call.id)?.at(-1), "SUCCEEDED");
  const tasks = await client.request(g.TasksDocument, { first: 5 });
  assert.deepEqual(tasks.tasks.edges.map(({ node }) => [node.number, node.title]), [[1, "Buy groceries"]]);
}

async function resumes({ client, link }: { client: Client; link: { drop(): Promise<void> } }) {
  await createTasks(client, 10);
  const { conversation, assistantMessage } = await send(client, "List my tasks");
  const state = new ConversationState();
  await watch(client, conversation.id, state, () => state.deltas === 3);
  const before = state.message(assistantMessage.id).content;

  // A dropped connection must be reported as an error, not as completion.
  const broken = watch(client, conversation.id, state, (event) => event.__typename === "MessageDelta" && void link.drop(), state.cursor);
  await assert.rejects(broken);
  await new Promise(setImmediate);
  const received: string[] = [];
  await watch(client, conversation.id, state, (event) => {
    received.push(event.__typename);
    return finished(assistantMessage.id)(event);
  }, state.cursor);

  const reply = state.message(assistantMessage.id);
  assert.ok(reply.content.startsWith(before) && reply.content.length > before.length);
  assert.match(reply.content, /Task 10/);
  await assertStored(client, reply);
  assert.ok(!received.includes("MessageAdded"), "known messages are not sent again");
}

async function cancels({ client }: { client: Client }) {
  await createTasks(client, 25);
  const { conversation, assistantMessage } = await send(client, "List my tasks");
  const state = new ConversationState();
  await watch(client, conversation.id, state, () => state.deltas === 3);
  const { cancelReply } = await client.request(g.CancelReplyDocument, { messageId: assistantMessage.id });
  assert.equal(cancelReply?.message.status, "CANCELLED");
  await watch(client, conversation.id, state, finished(assistantMessage.id), state.cursor);

  const reply = state.message(assistantMessage.id);
  assert.equal(reply.status, "CANCELLED");
  assert.ok(reply.content.length > 0, "the text written before the cancellation is kept");
  assert.doesNotMatch(reply.content, /Task 25/);
  await assertStored(client, reply);
  const next = await send(client, "Hello", conversation.id);
  await watch(client, conversation.id, state, finished(next.assistantMessage.id), state.cursor);
  assert.equal(state.message(next.assistantMessage.id).status, "COMPLETED");
}

/** Opens the task stream. Creates tasks until an event arrives, which proves that the stream is open. */
export async function openTaskStream(client: Client) {
  const events = iterate(client, g.TaskStreamDocument, {});
  const received = events.next();
  let open = false;
  const opened = () => (open = true);
  received.then(opened, opened);
  let created = 0;
  while (!open) {
    await createTasks(client, 1);
    created++;
  }
  const first: g.TaskStreamSubscription["taskStream"] = (await received).value.taskStream;
  return { events, first, created };
}

async function followsTasks({ client }: { client: Client }) {
  const { events, first, created } = await openTaskStream(client);
  await events.return?.();
  await client.request(g.CompleteTaskDocument, { id: first.task.id });
  const missed: string[] = [];
  for await (const { taskStream } of iterate(client, g.TaskStreamDocument, { after: first.cursor })) {
    missed.push(`${taskStream.kind} ${taskStream.task.number} ${taskStream.change.actor}`);
    if (taskStream.kind === "COMPLETED") break;
  }
  const numbers = Array.from({ length: created - first.task.number }, (_, i) => first.task.number + 1 + i);
  assert.deepEqual(missed, [...numbers.map((n) => `CREATED ${n} PERSON`), `COMPLETED ${first.task.number} PERSON`]);
}

async function pages({ client }: { client: Client }) {
  await createTasks(client, 7);
  const all = await fetchAll("forward", 3, async (page) => (await client.request(g.TasksDocument, page)).tasks);
  assert.deepEqual(all.map((task) => task.number), [7, 6, 5, 4, 3, 2, 1]);
}

async function errorCodes(kind: ClientKind, client: Client) {
  const turn = await send(client, "Hello");
  const variables = { conversationId: turn.conversation.id };
  await assert.rejects(send(client, " "), hasCode("BAD_USER_INPUT"));
  await assert.rejects(iterate(client, g.MessageStreamDocument, { ...variables, after: "x" }).next(), hasCode("BAD_USER_INPUT"));
  await withUser(kind, async ({ client: other }) => {
    await assert.rejects(other.request(g.CancelReplyDocument, { messageId: turn.assistantMessage.id }), hasCode("NOT_FOUND"));
    await assert.rejects(iterate(other, g.MessageStreamDocument, variables).next(), hasCode("NOT_FOUND"));
    assert.deepEqual(await other.request(g.MessagesDocument, variables), { conversation: null });
  });
}

async function badToken({ client, link }: { client: Client; link: { connections: number } }) {
  await assert.rejects(client.request(g.TasksDocument, { first: 1 }), isAuthenticationFailure);
  await assert.rejects(iterate(client, g.TaskStreamDocument, {}).next(), isAuthenticationFailure);
  assert.ok(link.connections <= 3, `${link.connections} connections: a rejected client must not keep reconnecting`);
}

const hasCode = (code: string) => (thrown: unknown) => {
  assert.deepEqual(codesOf(thrown), [code]);
  return true;
};

/** Whether an error reports a rejected token: clients expose the error code, the close code or the HTTP status. */
function isAuthenticationFailure(thrown: unknown) {
  assert.match(inspect(thrown, { depth: 6 }), /UNAUTHENTICATED|4403|\b401\b|Unauthorized/);
  return true;
}

/** Sends a message in a conversation, or in a new one. */
export async function send(client: Client, content: string, conversationId?: string) {
  const { sendMessage } = await client.request(g.SendDocument, { input: { content, conversationId } });
  assert.ok(sendMessage);
  return sendMessage;
}

/** Applies the events of a conversation until isLast returns true for one. Fails if the stream ends before. */
export async function watch(
  client: Client,
  conversationId: string,
  state: ConversationState,
  isLast: (event: MessageEvent) => boolean | void,
  after?: string,
) {
  for await (const { messageStream } of iterate(client, g.MessageStreamDocument, { conversationId, after })) {
    state.apply(messageStream);
    if (isLast(messageStream)) return;
  }
  assert.fail("the stream completed");
}

/** Returns a predicate for the event that finishes a message. */
export const finished = (id: string) => (event: MessageEvent) =>
  event.__typename === "MessageFinished" && event.message.id === id;

/** Asserts that a streamed message equals the stored one. */
export async function assertStored(client: Client, message: g.MessagePartsFragment) {
  const { node } = await client.request(g.MessageDocument, { id: message.id });
  assert.deepEqual(withoutTypeNames(message), withoutTypeNames(node));
}

/** Removes the type names that some clients add. */
const withoutTypeNames = (value: unknown) => JSON.parse(JSON.stringify(value, (key, inner) => (key === "__typename" ? undefined : inner)));
