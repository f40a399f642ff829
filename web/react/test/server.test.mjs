import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { startServer } from "../../../test/e2e/server.mjs";
import * as documents from "../dist/documents.js";

let server, token;
/** The operations that the server has executed. */
const executed = new Set();

before(async () => {
  // A pause before each word, so that a reply can be cancelled.
  server = await startServer({ RULES_PACE: "50ms" });
  token = await server.signIn("alice");
});
after(() => server?.stop());

function post(query, variables, accept) {
  executed.add(query);
  return fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept, authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
}

/** Runs a query or mutation. An error fails the test, such as that of an operation above the cost limit. */
async function run(query, variables) {
  const { data, errors } = await (await post(query, variables, "application/json")).json();
  assert.equal(errors, undefined, `${JSON.stringify(errors)}\n${query}`);
  return data;
}

/** Subscribes, and returns the first event for which found is true. */
async function event(query, variables, found) {
  const response = await post(query, variables, "text/event-stream");
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const { data, errors } = JSON.parse(line.slice("data: ".length));
      assert.equal(errors, undefined, `${JSON.stringify(errors)}\n${query}`);
      const [value] = Object.values(data);
      if (found(value)) return value;
    }
  }
  assert.fail(`the stream ended: ${text}\n${query}`);
}

/** Sends a message and returns its result. */
async function send(content, conversationId) {
  const input = { content, conversationId, idempotencyKey: randomUUID() };
  return (await run(documents.sendMutation, { input })).sendMessage;
}

/** Sends a message and returns its finished reply. */
async function sendAndWait(content, id) {
  const { conversation, assistantMessage } = await send(content, id);
  return { conversationId: conversation.id, reply: await finished(conversation.id, assistantMessage.id) };
}

async function finished(conversationId, id) {
  const found = (e) => e.message?.id === id && e.message.status !== "PENDING" && e.message.status !== "STREAMING";
  return (await event(documents.messageSubscription, { conversationId, after: null }, found)).message;
}

test("the server executes the operations of useTasks, with the largest page and a search", async () => {
  const { createTask, updateTask, ...byId } = documents.taskMutations;
  const created = (await run(createTask, { input: { title: "Buy milk" } })).createTask.task;
  await run(updateTask, { input: { id: created.id, priority: "HIGH" } });
  for (const [field, mutation] of Object.entries(byId)) {
    assert.equal((await run(mutation, { id: created.id }))[field].task.id, created.id);
  }
  const variables = { first: 100, after: null, orderBy: { field: "DUE" }, filter: { search: "milk" } };
  const { tasks } = await run(documents.tasksQuery, variables);
  assert.equal(tasks.nodes[0].id, created.id);
  const next = event(documents.taskSubscription, { after: tasks.streamCursor }, () => true);
  await run(createTask, { input: { title: "Water the plants" } });
  assert.equal((await next).task.title, "Water the plants");
});

test("the server executes the operations of useChat, with the largest page", async () => {
  const { conversationId, reply } = await sendAndWait("Add a task to call mum");
  assert.equal(reply.toolCalls[0].status, "SUCCEEDED");
  assert.deepEqual(reply.toolCalls[0].choices, []);
  assert.deepEqual(reply.changes.map((change) => change.kind), ["CREATED"]);
  assert.equal((await run(documents.undoMutation, { id: reply.id })).undoChange.undone.length, 1);

  await run(`mutation { updateViewer(input: { approvalPolicy: [{ tool: "delete_task", mode: ASK }] }) { viewer { id } } }`);
  for (const decision of ["rejectToolCalls", "approveToolCalls"]) {
    const [call] = (await sendAndWait("Delete task 1", conversationId)).reply.toolCalls;
    assert.equal(call.status, "AWAITING_APPROVAL");
    assert.equal(call.proposal[0].title, "Buy milk");
    const { toolCalls, assistantMessage } = (await run(documents.decisions[decision], { ids: [call.id] }))[decision];
    assert.equal(toolCalls[0].id, call.id);
    if (!assistantMessage) continue;
    const { changes } = await finished(conversationId, assistantMessage.id);
    assert.deepEqual(changes.map(({ kind, task }) => [kind, task.title]), [["DELETED", "Buy milk"]]);
  }

  const { assistantMessage } = await send("Help", conversationId);
  const { cancelReply } = await run(documents.cancelMutation, { messageId: assistantMessage.id });
  assert.equal(cancelReply.message.status, "CANCELLED");
  const { retryReply } = await run(documents.retryMutation, { messageId: assistantMessage.id });
  assert.equal((await finished(conversationId, retryReply.assistantMessage.id)).status, "COMPLETED");
  const page = await run(documents.messagesQuery, { id: conversationId, last: 40, before: null });
  assert.ok(page.conversation.messages.nodes.length >= 6);
});

test("the server executes the operations of useConversations, with the largest page", async () => {
  const { conversationId } = await sendAndWait("Hello");
  const { conversations } = await run(documents.conversationsQuery, { first: 100, after: null, filter: { archived: false } });
  assert.equal(conversations.nodes[0].id, conversationId);
  const next = event(documents.conversationSubscription, { after: conversations.streamCursor }, (e) => e.conversation?.title === "Plans");
  await run(documents.updateMutation, { input: { id: conversationId, title: "Plans" } });
  assert.equal((await next).conversation.id, conversationId);
  assert.equal((await run(documents.deleteMutation, { id: conversationId })).deleteConversation.deletedId, conversationId);
});

test("approvals and undo are as docs/FRONTEND.md describes them", async () => {
  const { createTask } = documents.taskMutations;
  const titles = ["Tea", "Rice", "Salt"];
  const numbers = [];
  for (const title of titles) {
    const { task } = (await run(createTask, { input: { title } })).createTask;
    numbers.push(task.number);
  }
  const live = async () => (await run(`{ tasks(first: 100) { nodes { id number title } } }`)).tasks.nodes;
  const propose = async (id) => sendAndWait(`Delete tasks ${numbers[0]} and ${numbers[1]}`, id);
  const statuses = async (ids) =>
    (await run(`query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ToolCall { status result } } }`, { ids })).nodes;

  // The next message drops a proposal, unless it is a plain yes.
  const { conversationId, reply } = await propose();
  assert.equal(reply.status, "COMPLETED");
  assert.deepEqual(reply.toolCalls.flatMap((call) => call.proposal).map((change) => change.title).sort(), ["Rice", "Tea"]);
  await sendAndWait("Hello", conversationId);
  for (const { status, result } of await statuses(reply.toolCalls.map((call) => call.id))) {
    assert.deepEqual([status, result.error.code], ["FAILED", "REJECTED"]);
  }
  const asked = (await propose(conversationId)).reply;
  const yes = (await sendAndWait("Yes", conversationId)).reply;
  assert.deepEqual(yes.changes.map(({ kind, task }) => `${kind} ${task.title}`).sort(), ["DELETED Rice", "DELETED Tea"]);
  for (const { status } of await statuses(asked.toolCalls.map((call) => call.id))) assert.equal(status, "SUCCEEDED");

  // undoTurn takes back what the reply changed, and undoChange with its batchId takes the undo back.
  const { undoTurn } = await run(`mutation ($id: ID!) { undoTurn(messageId: $id) { batchId undone { id } } }`, { id: yes.id });
  assert.equal(undoTurn.undone.length, 2);
  const { undoChange } = await run(documents.undoMutation, { id: undoTurn.batchId });
  assert.equal(undoChange.undone.length, 2);
  assert.equal((await run(documents.undoMutation, { id: yes.id })).undoChange.undone.length, 2);

  // A task that was changed meanwhile is skipped and named.
  const open = (await propose(conversationId)).reply;
  const { viewer } = await run(documents.approvalsQuery);
  assert.deepEqual(viewer.pendingApprovals.map((call) => call.id).sort(), open.toolCalls.map((call) => call.id).sort());
  assert.equal(viewer.pendingApprovals[0].message.conversation.id, conversationId);
  const tea = (await live()).find((task) => task.title === "Tea");
  await run(documents.taskMutations.updateTask, { input: { id: tea.id, title: "Green tea" } });
  const ids = open.toolCalls.map((call) => call.id);
  const { approveToolCalls } = await run(documents.decisions.approveToolCalls, { ids });
  await finished(conversationId, approveToolCalls.assistantMessage.id);
  assert.ok((await live()).some((task) => task.title === "Green tea"));
  assert.ok(!(await live()).some((task) => task.title === "Rice"));
  assert.match(JSON.stringify(await statuses(ids)), /"skipped":"Tea"/);
});

test("no operation of the hooks is left out above", () => {
  const all = Object.values(documents).flatMap((d) => (typeof d === "string" ? [d] : Object.values(d)));
  const missing = all.filter((text) => !executed.has(text));
  assert.deepEqual(missing.map((text) => text.slice(0, text.indexOf("("))), []);
});
