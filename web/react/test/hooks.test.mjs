import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "@errand/client";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { ErrandProvider, useChat, useConversations, useTasks } from "../dist/index.js";
import { fakeErrand, message, task } from "./fake.mjs";
import { act, renderHook } from "./render.mjs";

const failure = (code) => new ErrandError(code, "No.", { errors: [{ message: "No.", extensions: { code } }] });
const turn = { conversation: { id: "conv_1" }, userMessage: message(1, "USER", "Hello"), assistantMessage: message(2, "ASSISTANT", "", "PENDING") };
const page = (nodes, hasPreviousPage = false) => ({ conversation: { messages: { nodes, pageInfo: { hasPreviousPage, startCursor: "start" } } } });
const list = (...nodes) => ({ tasks: { streamCursor: "at", nodes, pageInfo: { hasNextPage: false, endCursor: null } } });
const stream = (fake, event) => act(async () => fake.open().at(-1).observer.next({ messageStream: { cursor: "c", ...event } }));
const answer = (request, data) => act(async () => request.resolve(data));
const shown = (chat) => chat.messages.map((m) => `${m.role}: ${m.content}${m.unsent ? ` (${m.unsent})` : ""}`);

test("useChat: the first message creates a conversation, and its reply streams in", async () => {
  const fake = fakeErrand();
  const created = [];
  const { rendered, render, unmount } = await renderHook(fake.errand, (id) => useChat(id, { onConversation: (c) => created.push(c) }));
  assert.equal(rendered.current.status, "ready");
  assert.deepEqual(fake.open(), []);
  let sent;
  await act(async () => void (sent = rendered.current.send(" Hello ")));
  assert.deepEqual(shown(rendered.current), ["USER: Hello (sending)"]);
  assert.equal(rendered.current.status, "submitted");
  const request = await fake.next("sendMessage");
  assert.equal(fake.requests.length, 0, "it is sent once");
  assert.equal(request.variables.input.content, "Hello");
  assert.ok(request.variables.input.idempotencyKey);
  await answer(request, { sendMessage: turn });
  assert.equal(await sent, true);
  assert.deepEqual(created, ["conv_1"]);
  assert.equal(fake.open().length, 1);

  await render("conv_1"); // the application puts the new id into its URL
  assert.deepEqual(shown(rendered.current), ["USER: Hello", "ASSISTANT: "]);
  assert.equal(fake.subscriptions.length, 1, "the same chat");
  await stream(fake, { __typename: "MessageDelta", messageId: "msg_2", offset: 0, text: "Hi " });
  await stream(fake, { __typename: "MessageDelta", messageId: "msg_2", offset: 3, text: "there" });
  assert.equal(rendered.current.status, "streaming");
  assert.deepEqual(shown(rendered.current), ["USER: Hello", "ASSISTANT: Hi there"]);
  await stream(fake, { __typename: "MessageFinished", message: message(2, "ASSISTANT", "Hi there!") });
  assert.equal(rendered.current.status, "ready");
  await unmount();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(fake.open(), [], "unmounting unsubscribes");
});

test("useChat: a mount in strict mode subscribes and loads once", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  assert.equal(fake.subscriptions.length, 1);
  assert.equal(fake.requests.length, 1);
  assert.equal(rendered.current.loading, true);
  await answer(await fake.next("conversation"), page([message(3, "USER", "c"), message(4, "ASSISTANT", "d")], true));
  assert.equal(rendered.current.loading, false);
  assert.equal(rendered.current.hasOlder, true);
  await act(async () => void rendered.current.loadOlder());
  const older = await fake.next("conversation");
  assert.equal(older.variables.before, "start");
  await answer(older, page([message(1, "USER", "a"), message(2, "ASSISTANT", "b")]));
  assert.deepEqual(rendered.current.messages.map((m) => m.content), ["a", "b", "c", "d"]);
  assert.equal(rendered.current.hasOlder, false);
  await unmount();
});

test("useChat: the stream's copy of a message replaces the one that is being sent", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await answer(await fake.next("conversation"), page([]));
  await act(async () => void rendered.current.send("Hello"));
  await stream(fake, { __typename: "MessageAdded", message: turn.userMessage });
  assert.deepEqual(shown(rendered.current), ["USER: Hello"]);
  await answer(await fake.next("sendMessage"), { sendMessage: turn });
  assert.deepEqual(shown(rendered.current), ["USER: Hello", "ASSISTANT: "]);
  await unmount();
});

test("useChat: a message that fails stays, and retry sends it with the same key", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await answer(await fake.next("conversation"), page([]));
  await act(async () => void rendered.current.send("Hello"));
  const first = await fake.next("sendMessage");
  await act(async () => first.reject(failure("NETWORK_ERROR")));
  assert.equal(rendered.current.status, "error");
  assert.equal(rendered.current.error.code, "NETWORK_ERROR");
  assert.deepEqual(shown(rendered.current), ["USER: Hello (failed)"]);
  await act(async () => void rendered.current.retry());
  assert.equal(rendered.current.status, "submitted");
  const second = await fake.next("sendMessage");
  assert.equal(second.variables.input.idempotencyKey, first.variables.input.idempotencyKey);
  await answer(second, { sendMessage: turn });
  assert.equal(rendered.current.error, null);
  await unmount();
});

test("useChat: stop cancels the reply, and its text stays", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await answer(await fake.next("conversation"), page([message(1, "USER", "a"), message(2, "ASSISTANT", "b", "STREAMING")]));
  await act(async () => void rendered.current.stop());
  const cancel = await fake.next("cancelReply");
  assert.equal(cancel.variables.messageId, "msg_2");
  await answer(cancel, { cancelReply: { message: message(2, "ASSISTANT", "b", "CANCELLED") } });
  assert.equal(rendered.current.status, "ready");
  assert.equal(rendered.current.messages[1].content, "b");
  await unmount();
});

test("useChat: retry has a failed reply written again", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  const failed = { ...message(2, "ASSISTANT", "b", "FAILED"), error: { code: "SERVICE_UNAVAILABLE", message: "Busy.", retryAt: null } };
  await answer(await fake.next("conversation"), page([message(1, "USER", "a"), failed]));
  assert.equal(rendered.current.error.message, "Busy.");
  await act(async () => void rendered.current.retry());
  const retry = await fake.next("retryReply");
  assert.equal(retry.variables.messageId, "msg_2");
  await answer(retry, { retryReply: { userMessage: message(3, "USER", "a"), assistantMessage: message(4, "ASSISTANT", "", "PENDING") } });
  assert.equal(rendered.current.status, "submitted");
  await unmount();
});

test("useChat: approve shows the decided call and the new reply, reject an error, and undo its result", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  const call = { id: "call_1", name: "delete_task", status: "AWAITING_APPROVAL", proposal: [{ number: 1, title: "Milk", kind: "DELETED", fields: [] }] };
  await answer(await fake.next("conversation"), page([message(1, "USER", "Delete 1"), { ...message(2, "ASSISTANT", "Shall I?"), toolCalls: [call] }]));
  await act(async () => void rendered.current.approve(["call_1"]));
  const approval = await fake.next("approveToolCalls");
  assert.deepEqual(approval.variables, { ids: ["call_1"] });
  const decided = { ...call, status: "SUCCEEDED", message: { id: "msg_2" } };
  await answer(approval, { approveToolCalls: { toolCalls: [decided], assistantMessage: message(3, "ASSISTANT", "", "PENDING") } });
  assert.equal(rendered.current.messages[1].toolCalls[0].status, "SUCCEEDED");
  assert.equal(rendered.current.messages.length, 3);
  // A late copy of the reply does not bring the question back.
  await stream(fake, { __typename: "ToolCallChanged", messageId: "msg_2", toolCall: call });
  assert.equal(rendered.current.messages[1].toolCalls[0].status, "SUCCEEDED");

  let rejected, undone;
  await act(async () => void (rejected = rendered.current.reject(["call_1"])));
  const rejection = await fake.next("rejectToolCalls");
  await act(async () => rejection.reject(failure("CONFLICT")));
  assert.equal(await rejected, false);
  assert.equal(rendered.current.error.code, "CONFLICT");
  await act(async () => void (undone = rendered.current.undo("msg_2")));
  const skipped = [{ reason: "Changed since.", change: { task: { number: 2, title: "Bread" } } }];
  await answer(await fake.next("undoChange"), { undoChange: { batchId: "batch_1", undone: [{ id: "change_1" }], skipped } });
  assert.deepEqual(await undone, { batchId: "batch_1", count: 1, skipped: [{ number: 2, title: "Bread", reason: "Changed since." }] });
  assert.equal(rendered.current.error, null);
  await unmount();
});

test("useChat: a page, which has no choices, keeps those of the stream", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  const choices = [{ reference: "buy", candidates: [{ taskId: "task_1", number: 1, title: "Buy milk", reason: "ALL_WORDS" }] }];
  const call = { id: "call_1", name: "complete_task", status: "FAILED" };
  const reply = message(2, "ASSISTANT", "Which one?");
  await stream(fake, { __typename: "MessageAdded", message: { ...reply, toolCalls: [{ ...call, proposal: [], choices }] } });
  await answer(await fake.next("conversation"), page([message(1, "USER", "Buy"), { ...reply, toolCalls: [call] }]));
  assert.deepEqual(rendered.current.messages[1].toolCalls, [{ ...call, proposal: [], choices }]);
  await unmount();
});

test("useChat: messages between the stream and the list are loaded", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await answer(await fake.next("conversation"), page([message(1, "USER", "a"), message(2, "ASSISTANT", "b")]));
  await stream(fake, { __typename: "MessageAdded", message: message(5, "USER", "e") });
  await answer(await fake.next("conversation"), page([1, 2, 3, 4, 5].map((n) => message(n, "USER", String(n)))));
  assert.deepEqual(rendered.current.messages.map((m) => m.position), [1, 2, 3, 4, 5]);
  await unmount();
});

test("useTasks: a change shows at once, and disappears if the server rejects it", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useTasks({ status: "PENDING" }));
  assert.equal(fake.requests.length, 1);
  await answer(await fake.next("tasks"), list(task(2), task(1)));
  assert.equal(fake.open().length, 1);
  assert.equal(fake.open()[0].variables.after, "at", "the stream continues where the page ends");
  await act(async () => void rendered.current.complete("task_1"));
  assert.deepEqual(rendered.current.tasks.map((t) => t.number), [2]);
  const request = await fake.next("completeTask");
  await act(async () => request.reject(failure("FORBIDDEN")));
  assert.deepEqual(rendered.current.tasks.map((t) => t.number), [2, 1]);
  assert.equal(rendered.current.error.code, "FORBIDDEN");
  await unmount();
});

test("useTasks: a new task appears once, in whatever order the result and the event arrive", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useTasks());
  await answer(await fake.next("tasks"), list(task(1)));
  let created;
  await act(async () => void (created = rendered.current.create({ title: "Milk" })));
  assert.deepEqual(rendered.current.tasks.map((t) => [t.title, t.unsaved]), [["Milk", true], ["Task 1", undefined]]);
  const milk = task(2, { title: "Milk" });
  await act(async () => fake.open()[0].observer.next({ taskStream: { cursor: "2", kind: "CREATED", task: milk } }));
  assert.deepEqual(rendered.current.tasks.map((t) => [t.title, t.unsaved]), [["Milk", undefined], ["Task 1", undefined]]);
  await answer(await fake.next("createTask"), { createTask: { task: milk } });
  assert.deepEqual(rendered.current.tasks.map((t) => t.title), ["Milk", "Task 1"]);
  assert.equal((await created).id, "task_2");
  await unmount();
});

test("useTasks: a list that the events cannot keep exact is loaded again", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useTasks({ search: "milk" }));
  await answer(await fake.next("tasks"), list(task(1)));
  await act(async () => fake.open()[0].observer.next({ taskStream: { cursor: "2", kind: "CREATED", task: task(2) } }));
  assert.deepEqual(rendered.current.tasks.map((t) => t.number), [1]);
  await answer(await fake.next("tasks"), list(task(2), task(1)));
  assert.deepEqual(rendered.current.tasks.map((t) => t.number), [2, 1]);
  await unmount();
});

test("useTasks, useConversations: pages are added to the list, and the stream's events stay", async () => {
  const lists = {
    tasks: [useTasks, (n) => task(n), (r) => r.tasks, (n) => ({ taskStream: { cursor: "later", kind: "CREATED", task: task(n) } })],
    conversations: [
      useConversations, (n) => ({ id: `conv_${n}`, title: `${n}` }), (r) => r.conversations,
      (n) => ({ conversationStream: { cursor: "later", __typename: "ConversationChanged", conversation: { id: `conv_${n}`, title: `${n}`, archivedAt: null } } }),
    ],
  };
  for (const [field, [hook, item, items, event]] of Object.entries(lists)) {
    const fake = fakeErrand();
    const page = (hasNextPage, ...numbers) => ({ [field]: { streamCursor: "at", nodes: numbers.map(item), pageInfo: { hasNextPage, endCursor: "end" } } });
    const { rendered, unmount } = await renderHook(fake.errand, () => hook());
    await answer(await fake.next(field), page(true, 5, 4));
    await act(async () => void rendered.current.loadMore());
    const request = await fake.next(field);
    assert.equal(request.variables.after, "end");
    await answer(request, page(false, 3, 2));
    await act(async () => fake.open()[0].observer.next(event(6)));
    assert.deepEqual(items(rendered.current).map((i) => i.id.split("_")[1]), ["6", "5", "4", "3", "2"]);
    assert.equal(rendered.current.hasMore, false);
    await act(async () => void rendered.current.refresh());
    const refresh = await fake.next(field);
    assert.equal(refresh.variables.after, null);
    await answer(refresh, page(false, 6, 5, 3));
    assert.equal(fake.subscriptions.length, 1, "the stream goes on");
    await unmount();
  }
});

test("useConversations: the list follows its stream, and a deletion is not undone by an older page", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useConversations());
  const conversation = (n, title) => ({ id: `conv_${n}`, title, createdAt: "", updatedAt: "" });
  const event = (e) => act(async () => fake.open()[0].observer.next({ conversationStream: { cursor: "c", ...e } }));
  const page = (...nodes) => ({ conversations: { streamCursor: "at", nodes, pageInfo: { hasNextPage: false, endCursor: null } } });
  await answer(await fake.next("conversations"), page(conversation(2, "b"), conversation(1, "a")));
  assert.equal(fake.open().length, 1);
  assert.equal(fake.open()[0].variables.after, "at", "the stream continues where the page ends");
  await act(async () => void rendered.current.refresh());
  await event({ __typename: "ConversationDeleted", deletedId: "conv_1" });
  await answer(await fake.next("conversations"), page(conversation(2, "b"), conversation(1, "a")));
  await event({ __typename: "ConversationChanged", conversation: conversation(3, "c") });
  assert.deepEqual(rendered.current.conversations.map((c) => c.title), ["c", "b"]);
  await event({ __typename: "ConversationChanged", conversation: { ...conversation(3, "c"), archivedAt: "2026-11-27T08:00:00Z" } });
  assert.deepEqual(rendered.current.conversations.map((c) => c.title), ["b"]);
  await event({ __typename: "ConversationChanged", conversation: { ...conversation(3, "c"), archivedAt: null } });
  assert.deepEqual(rendered.current.conversations.map((c) => c.title), ["c", "b"]);
  await act(async () => void rendered.current.rename("conv_2", "B"));
  assert.deepEqual(rendered.current.conversations.map((c) => c.title), ["c", "B"]);
  const rename = await fake.next("updateConversation");
  await act(async () => rename.reject(failure("CONFLICT")));
  assert.deepEqual(rendered.current.conversations.map((c) => c.title), ["c", "b"]);
  await unmount();
});

test("the hooks render on a server without requests", () => {
  const fake = fakeErrand();
  const Page = () => [useChat("conv_1").messages.length, useTasks().status, useConversations().status].join();
  assert.equal(renderToString(createElement(ErrandProvider, { client: fake.errand }, createElement(Page))), "0,loading,loading");
  assert.deepEqual([fake.requests, fake.subscriptions], [[], []]);
});
