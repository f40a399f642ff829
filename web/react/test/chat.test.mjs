import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError } from "@errand/client";
import { useApprovals, useChat, useConnection, useConversations } from "../dist/index.js";
import { fakeErrand, message } from "./fake.mjs";
import { act, renderHook } from "./render.mjs";

const failure = (code) => new ErrandError(code, "No.", { errors: [{ message: "No.", extensions: { code } }] });
const page = (nodes) => ({ conversation: { messages: { nodes, pageInfo: { hasPreviousPage: false, startCursor: "start" } } } });
const turn = (position, content) => ({
  conversation: { id: "conv_1" },
  userMessage: message(position, "USER", content),
  assistantMessage: message(position + 1, "ASSISTANT", "", "PENDING"),
});
const stream = (fake, event) => act(async () => fake.open().at(-1).observer.next({ messageStream: { cursor: "c", ...event } }));
const answer = (request, data) => act(async () => request.resolve(data));
const contents = (chat) => chat.messages.map((m) => m.content);

function storage() {
  const items = new Map();
  return {
    items,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

test("useChat: a message like an older one is sent, also before the conversation is loaded", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await act(async () => void rendered.current.send("yes"));
  await answer(await fake.next("conversation"), page([message(1, "USER", "yes"), message(2, "ASSISTANT", "Done.")]));
  assert.deepEqual(contents(rendered.current), ["yes", "Done.", "yes"]);
  await answer(await fake.next("sendMessage"), { sendMessage: turn(3, "yes") });
  assert.deepEqual(contents(rendered.current), ["yes", "Done.", "yes", ""]);
  await unmount();
});

test("useChat: two tabs that send the same text both send it", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  await answer(await fake.next("conversation"), page([]));
  await act(async () => void rendered.current.send("first"));
  const first = await fake.next("sendMessage");
  await act(async () => void rendered.current.send("yes")); // it waits for the first one
  await stream(fake, { __typename: "MessageAdded", message: message(1, "USER", "yes") }); // the other tab's
  await answer(first, { sendMessage: turn(2, "first") });
  await answer(await fake.next("sendMessage"), { sendMessage: turn(4, "yes") });
  assert.deepEqual(contents(rendered.current), ["yes", "first", "", "yes", ""]);
  await unmount();
});

test("useChat: a message that is not stored survives a reload, and is sent with its key", async () => {
  const outbox = storage();
  let fake = fakeErrand();
  let { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1", { outbox }));
  await answer(await fake.next("conversation"), page([]));
  await act(async () => void rendered.current.send("Hello"));
  const lost = await fake.next("sendMessage");
  await act(async () => lost.reject(failure("NETWORK_ERROR")));
  await unmount();

  fake = fakeErrand();
  ({ rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1", { outbox })));
  assert.deepEqual(contents(rendered.current), ["Hello"]);
  const again = await fake.next("sendMessage");
  assert.equal(again.variables.input.idempotencyKey, lost.variables.input.idempotencyKey);
  await answer(again, { sendMessage: turn(1, "Hello") });
  assert.equal(outbox.items.size, 0);
  assert.equal(fake.requests.filter((r) => r.field === "sendMessage").length, 0, "it is sent once");
  await unmount();
});

test("useChat: a message that the server refuses is not sent again", async () => {
  const outbox = storage();
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat(undefined, { outbox }));
  await act(async () => void rendered.current.send("Hello"));
  assert.deepEqual([...outbox.items.keys()], ["outbox:new"]);
  const refused = await fake.next("sendMessage");
  await act(async () => refused.reject(failure("BAD_USER_INPUT")));
  assert.equal(outbox.items.size, 0);
  assert.equal(rendered.current.messages[0].unsent, "failed");
  await unmount();
});

test("useChat: cancel cancels one reply", async () => {
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  const queued = [message(1, "USER", "a"), message(2, "ASSISTANT", "b", "STREAMING"), message(3, "USER", "c"), message(4, "ASSISTANT", "", "PENDING")];
  await answer(await fake.next("conversation"), page(queued));
  await act(async () => void rendered.current.cancel("msg_4"));
  const cancel = await fake.next("cancelReply");
  assert.equal(cancel.variables.messageId, "msg_4");
  await answer(cancel, { cancelReply: { message: message(4, "ASSISTANT", "", "CANCELLED") } });
  assert.deepEqual(rendered.current.messages.map((m) => m.status), ["COMPLETED", "STREAMING", "COMPLETED", "CANCELLED"]);
  await unmount();
});

test("useChat: undo and redo mark the changes, also those of a reply that undoes", async () => {
  const fake = fakeErrand();
  const change = (id, undoes = null) => ({ id, undoes, kind: "CREATED", undone: false, toolCall: null, fields: [], task: { id: "task_1", number: 1, title: "Tea" } });
  const { rendered, unmount } = await renderHook(fake.errand, () => useChat("conv_1"));
  const marks = () => rendered.current.messages.flatMap((m) => m.changes).map((c) => `${c.id}:${c.undone}`);
  await answer(await fake.next("conversation"), page([{ ...message(2, "ASSISTANT", "Added."), changes: [change("a"), change("b")] }]));
  await act(async () => void rendered.current.undo("a"));
  const undo = await fake.next("undoChange");
  assert.equal(undo.variables.id, "a");
  await answer(undo, { undoChange: { batchId: "batch_1", undone: [{ id: "a", undoes: null }], skipped: [] } });
  assert.deepEqual(marks(), ["a:true", "b:false"]);
  await act(async () => void rendered.current.undo("batch_1"));
  await answer(await fake.next("undoChange"), { undoChange: { batchId: "batch_2", undone: [{ id: "undo_of_a", undoes: "a" }], skipped: [] } });
  assert.deepEqual(marks(), ["a:false", "b:false"]);
  await stream(fake, { __typename: "MessageAdded", message: message(3, "USER", "Undo that") });
  await stream(fake, { __typename: "MessageFinished", message: { ...message(4, "ASSISTANT", "Undone."), changes: [change("c", "b")] } });
  assert.deepEqual(marks(), ["a:false", "b:true", "c:false"]);
  await unmount();
});

test("useConversations: archive moves a conversation between the lists, and a search is repeated on changes", async () => {
  const conversation = (n, archivedAt = null) => ({ id: `conv_${n}`, title: `${n}`, createdAt: "", updatedAt: "", archivedAt });
  const result = (...nodes) => ({ conversations: { streamCursor: "at", nodes, pageInfo: { hasNextPage: false, endCursor: null } } });
  const fake = fakeErrand();
  const { rendered, render, unmount } = await renderHook(fake.errand, (filter) => useConversations({ filter }), {});
  const titles = () => rendered.current.conversations.map((c) => c.title);
  await answer(await fake.next("conversations"), result(conversation(2), conversation(1)));
  await act(async () => void rendered.current.archive("conv_1"));
  assert.deepEqual(titles(), ["2"], "at once");
  const archive = await fake.next("updateConversation");
  assert.deepEqual(archive.variables.input, { id: "conv_1", archived: true });
  await answer(archive, { updateConversation: { conversation: conversation(1, "2026-11-27T08:00:00Z") } });
  assert.deepEqual(titles(), ["2"]);
  await act(async () => void rendered.current.archive("conv_2"));
  const refused = await fake.next("updateConversation");
  await act(async () => refused.reject(failure("RATE_LIMITED")));
  assert.deepEqual(titles(), ["2"], "taken back");

  await render({ search: "x", archived: true });
  const found = await fake.next("conversations");
  assert.deepEqual(found.variables.filter, { search: "x", archived: true });
  await answer(found, result(conversation(4, "2026-11-27T08:00:00Z")));
  await act(async () => fake.open().at(-1).observer.next({ conversationStream: { cursor: "c", __typename: "ConversationChanged", conversation: conversation(3, "2026-11-27T08:00:00Z") } }));
  assert.deepEqual(titles(), ["4"], "only the server knows whether it is found");
  await answer(await fake.next("conversations"), result(conversation(4, "2026-11-27T08:00:00Z"), conversation(3, "2026-11-27T08:00:00Z")));
  assert.deepEqual(titles(), ["4", "3"]);
  await unmount();
});

test("useApprovals: an event of a conversation loads the list again, and a decided call disappears at once", async () => {
  const approval = (id) => ({ id, name: "delete_task", createdAt: "", expiresAt: null, proposal: [], message: { id: "msg_1", conversation: { id: "conv_1", title: "" } } });
  const fake = fakeErrand();
  const { rendered, unmount } = await renderHook(fake.errand, () => useApprovals());
  const ids = () => rendered.current.approvals.map((a) => a.id);
  await answer(await fake.next("viewer"), { viewer: { pendingApprovals: [approval("a")] } });
  assert.deepEqual(ids(), ["a"]);
  await act(async () => fake.open()[0].observer.next({ conversationStream: { cursor: "c", __typename: "ConversationDeleted", deletedId: "x" } }));
  await answer(await fake.next("viewer"), { viewer: { pendingApprovals: [approval("a"), approval("b")] } });
  assert.deepEqual(ids(), ["a", "b"]);
  await act(async () => void rendered.current.approve(["a"]));
  assert.deepEqual(ids(), ["b"]);
  await answer(await fake.next("approveToolCalls"), { approveToolCalls: { toolCalls: [], assistantMessage: null } });
  await act(async () => void rendered.current.reject(["b"]));
  const reject = await fake.next("rejectToolCalls");
  await act(async () => reject.reject(failure("CONFLICT")));
  assert.deepEqual(ids(), ["b"], "taken back");
  assert.equal(rendered.current.error.code, "CONFLICT");
  await unmount();
});

test("useConnection: follows the client", async () => {
  const { errand } = fakeErrand();
  let state = "idle";
  const listeners = new Set();
  errand.connection = { get: () => state, subscribe: (l) => (listeners.add(l), () => listeners.delete(l)) };
  const { rendered, unmount } = await renderHook(errand, () => useConnection());
  assert.equal(rendered.current, "idle");
  await act(async () => ((state = "lost"), listeners.forEach((l) => l())));
  assert.equal(rendered.current, "lost");
  await unmount();
  assert.equal(listeners.size, 0);
});
