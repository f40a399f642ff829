import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { codesOf, type Client, type ClientKind } from "./client.js";
import { follow } from "./feed.js";
import * as g from "./generated.js";
import { walk } from "./pages.js";
import { View, type MessageEvent } from "./view.js";
import { asSomebody, makeTasks } from "./world.js";

/** The story that every kind of client goes through. */
export function tellStory(kind: ClientKind) {
  describe(kind.name, { concurrency: true }, () => {
    it("streams a reply and its tool call", () => asSomebody(kind, streams));
    it("resumes after the connection was cut during a stream", () => asSomebody(kind, resumes));
    it("cancels a long reply", () => asSomebody(kind, cancels));
    it("follows changes of tasks and resumes", () => asSomebody(kind, followsTasks));
    it("pages through tasks", () => asSomebody(kind, pages));
    it("receives error codes and no data of other users", () => asSomebody(kind, ({ client }) => refusals(kind, client)));
    it("is rejected with an invalid token", () => asSomebody({ ...kind, connect: (url) => kind.connect(url, "bad") }, badToken));
  });
}

async function streams({ client }: { client: Client }) {
  const { conversation, userMessage, assistantMessage } = await send(client, "Add a task to buy groceries");
  const view = new View();
  await watch(client, conversation.id, view, finished(assistantMessage.id));

  assert.equal(view.message(userMessage.id).content, "Add a task to buy groceries");
  const reply = view.message(assistantMessage.id);
  assert.equal(reply.status, "COMPLETED");
  assert.match(reply.content, /Buy groceries/);
  await assertStored(client, reply);
  const [call] = reply.toolCalls;
  assert.equal(call?.name, "add_task");
  assert.equal(view.callStates.get(call.id)?.at(-1), "SUCCEEDED");
  const tasks = await client.ask(g.TasksDocument, { first: 5 });
  assert.deepEqual(tasks.tasks.edges.map(({ node }) => [node.number, node.title]), [[1, "Buy groceries"]]);
}

async function resumes({ client, wire }: { client: Client; wire: { cut(): Promise<void> } }) {
  await makeTasks(client, 10);
  const { conversation, assistantMessage } = await send(client, "List my tasks");
  const view = new View();
  await watch(client, conversation.id, view, () => view.deltas === 3);
  const before = view.message(assistantMessage.id).content;

  // A stream that broke must look broken, not complete.
  const broken = watch(client, conversation.id, view, (event) => event.__typename === "MessageDelta" && void wire.cut(), view.cursor);
  await assert.rejects(broken);
  await new Promise(setImmediate);
  const told: string[] = [];
  await watch(client, conversation.id, view, (event) => {
    told.push(event.__typename);
    return finished(assistantMessage.id)(event);
  }, view.cursor);

  const reply = view.message(assistantMessage.id);
  assert.ok(reply.content.startsWith(before) && reply.content.length > before.length);
  assert.match(reply.content, /Task 10/);
  await assertStored(client, reply);
  assert.ok(!told.includes("MessageAdded"), "what was known is not told again");
}

async function cancels({ client }: { client: Client }) {
  await makeTasks(client, 25);
  const { conversation, assistantMessage } = await send(client, "List my tasks");
  const view = new View();
  await watch(client, conversation.id, view, () => view.deltas === 3);
  const { cancelReply } = await client.ask(g.CancelReplyDocument, { messageId: assistantMessage.id });
  assert.equal(cancelReply.message.status, "CANCELLED");
  await watch(client, conversation.id, view, finished(assistantMessage.id), view.cursor);

  const reply = view.message(assistantMessage.id);
  assert.equal(reply.status, "CANCELLED");
  assert.ok(reply.content.length > 0, "what was written stays");
  assert.doesNotMatch(reply.content, /Task 25/);
  await assertStored(client, reply);
  const next = await send(client, "Hello", conversation.id);
  await watch(client, conversation.id, view, finished(next.assistantMessage.id), view.cursor);
  assert.equal(view.message(next.assistantMessage.id).status, "COMPLETED");
}

/** Opens the stream of task changes and waits for an event, which alone proves that it is open. */
export async function openTaskStream(client: Client) {
  const live = follow(client, g.TaskStreamDocument, {});
  const told = live.next();
  let open = false;
  const opened = () => (open = true);
  told.then(opened, opened);
  let made = 0;
  while (!open) {
    await makeTasks(client, 1);
    made++;
  }
  const first: g.TaskStreamSubscription["taskStream"] = (await told).value.taskStream;
  return { live, first, made };
}

async function followsTasks({ client }: { client: Client }) {
  const { live, first, made } = await openTaskStream(client);
  await live.return?.();
  await client.ask(g.CompleteTaskDocument, { id: first.task.id });
  const missed: string[] = [];
  for await (const { taskStream } of follow(client, g.TaskStreamDocument, { after: first.cursor })) {
    missed.push(`${taskStream.kind} ${taskStream.task.number} ${taskStream.change.actor}`);
    if (taskStream.kind === "COMPLETED") break;
  }
  const numbers = Array.from({ length: made - first.task.number }, (_, i) => first.task.number + 1 + i);
  assert.deepEqual(missed, [...numbers.map((n) => `CREATED ${n} PERSON`), `COMPLETED ${first.task.number} PERSON`]);
}

async function pages({ client }: { client: Client }) {
  await makeTasks(client, 7);
  const all = await walk("forward", 3, async (page) => (await client.ask(g.TasksDocument, page)).tasks);
  assert.deepEqual(all.map((task) => task.number), [7, 6, 5, 4, 3, 2, 1]);
}

async function refusals(kind: ClientKind, client: Client) {
  const turn = await send(client, "Hello");
  const hers = { conversationId: turn.conversation.id };
  await assert.rejects(send(client, " "), hasCode("BAD_USER_INPUT"));
  await assert.rejects(follow(client, g.MessageStreamDocument, { ...hers, after: "x" }).next(), hasCode("BAD_USER_INPUT"));
  await asSomebody(kind, async ({ client: other }) => {
    await assert.rejects(other.ask(g.CancelReplyDocument, { messageId: turn.assistantMessage.id }), hasCode("NOT_FOUND"));
    await assert.rejects(follow(other, g.MessageStreamDocument, hers).next(), hasCode("NOT_FOUND"));
    assert.deepEqual(await other.ask(g.MessagesDocument, hers), { conversation: null });
  });
}

async function badToken({ client, wire }: { client: Client; wire: { connections: number } }) {
  await assert.rejects(client.ask(g.TasksDocument, { first: 1 }), tellsRefusal);
  await assert.rejects(follow(client, g.TaskStreamDocument, {}).next(), tellsRefusal);
  assert.ok(wire.connections <= 3, `${wire.connections} connections: a client that is refused must not storm`);
}

const hasCode = (code: string) => (thrown: unknown) => {
  assert.deepEqual(codesOf(thrown), [code]);
  return true;
};

/** What clients say of a refused token: the error code, the close code or the status, whichever they look at. */
function tellsRefusal(thrown: unknown) {
  assert.match(inspect(thrown, { depth: 6 }), /UNAUTHENTICATED|4403|\b401\b|Unauthorized/);
  return true;
}

/** Says something in a conversation, or in a new one. */
export async function send(client: Client, content: string, conversationId?: string) {
  return (await client.ask(g.SendDocument, { input: { content, conversationId } })).sendMessage;
}

/** Shows a conversation to the view until an event is the last one wanted; fails when the stream ends before. */
export async function watch(
  client: Client,
  conversationId: string,
  view: View,
  last: (event: MessageEvent) => boolean | void,
  after?: string,
) {
  for await (const { messageStream } of follow(client, g.MessageStreamDocument, { conversationId, after })) {
    view.apply(messageStream);
    if (last(messageStream)) return;
  }
  assert.fail("the stream completed");
}

/** Whether an event is the end of a reply. */
export const finished = (id: string) => (event: MessageEvent) =>
  event.__typename === "MessageFinished" && event.message.id === id;

/** Asserts that a message on the screen is exactly the one in the database. */
export async function assertStored(client: Client, message: g.MessagePartsFragment) {
  const { node } = await client.ask(g.MessageDocument, { id: message.id });
  assert.deepEqual(bare(message), bare(node));
}

/** A value without the type names that some clients add to some documents. */
const bare = (value: unknown) => JSON.parse(JSON.stringify(value, (key, inner) => (key === "__typename" ? undefined : inner)));
