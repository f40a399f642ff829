import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyConversation, mergeMessages, reduceConversation, reduceTasks, emptyTasks } from "@errand/client";

const added = (message) => ({ __typename: "MessageAdded", cursor: "c", message });
const finished = (message) => ({ __typename: "MessageFinished", cursor: "c", message });
const delta = (offset, text, messageId = "m") => ({ __typename: "MessageDelta", cursor: "c", messageId, offset, text });
const changed = (toolCall, messageId = "m") => ({ __typename: "ToolCallChanged", cursor: "c", messageId, toolCall });
const reply = (content = "", status = "PENDING", toolCalls = []) => ({ id: "m", position: 2, content, status, toolCalls });
const run = (...events) => events.reduce(reduceConversation, emptyConversation);

test("deltas continue the text, and an offset below its length rewinds it", () => {
  const state = run(added(reply()), delta(0, "Hello wor"), delta(5, " there"));
  assert.equal(state.messages[0].content, "Hello there");
  assert.equal(state.messages[0].status, "STREAMING");
});

test("offsets count UTF-16 code units", () => {
  const state = run(added(reply("🛒 ", "STREAMING")), delta(3, "Milch 🥛"), delta(9, "für 👩‍👩‍👧"));
  assert.equal(state.messages[0].content, "🛒 Milch für 👩‍👩‍👧");
});

test("a delta beyond the text, or of an unknown message, is a gap, and the cursor stays before it", () => {
  for (const event of [delta(4, "x"), delta(0, "x", "other"), changed({ id: "t", status: "STARTED" }, "other")]) {
    const before = run({ ...added(reply("abc", "STREAMING")), cursor: "good" });
    const state = reduceConversation(reduceConversation(before, { ...event, cursor: "bad" }), { ...delta(3, "d"), cursor: "bad" });
    assert.equal(state.gap, true);
    assert.equal(state.cursor, "good");
  }
});

test("repeated events of a finished reply have no effect", () => {
  const events = [added(reply()), changed({ id: "t", status: "STARTED" }), delta(0, "abc"), finished(reply("abc", "COMPLETED", [{ id: "t", status: "SUCCEEDED" }]))];
  const end = run(...events);
  assert.deepEqual(run(...events, ...events.slice(0, 3)), end);
});

test("a call of a finished reply that awaited an approval still changes", () => {
  const state = run(added(reply("", "COMPLETED", [{ id: "t", status: "AWAITING_APPROVAL" }])), changed({ id: "t", status: "SUCCEEDED" }));
  assert.equal(state.messages[0].toolCalls[0].status, "SUCCEEDED");
});

test("a page of older messages keeps the newer text of the stream", () => {
  const state = mergeMessages(run(added(reply("abc", "STREAMING"))), [{ ...reply("a", "STREAMING") }, { ...reply("q", "COMPLETED"), id: "q", position: 1 }]);
  assert.deepEqual(state.messages.map((m) => m.content), ["q", "abc"]);
});

test("events of later versions change nothing", () => {
  const state = run(added(reply("abc")), { __typename: "Later", cursor: "d", messageId: "m" });
  assert.equal(state.messages[0].content, "abc");
  assert.equal(state.cursor, "d");
});

test("of two copies of a task the one with the higher version stays", () => {
  const event = (version, title) => ({ cursor: String(version), kind: "UPDATED", task: { id: "t", version, title, deletedAt: null } });
  const state = [event(1, "a"), event(3, "c"), event(2, "b")].reduce(reduceTasks, emptyTasks);
  assert.equal(state.tasks.get("t").title, "c");
  assert.equal(state.cursor, "2");
});

/** A generator of numbers below n, the same for the same seed (mulberry32). */
function random(seed) {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/**
 * A server that writes one reply in pieces, with tool calls, restarts that write another text from a recorded step on,
 * and subscribers that resume from their cursor: a number of the event.
 */
function conversation(pick) {
  const alphabet = ["a", "b ", "Milch", "🥛", "👩‍👩‍👧", "\n", "ß"];
  const events = [];
  let content = "", calls = [], kept = 0;
  const emit = (event) => events.push({ ...event, cursor: String(events.length) });
  const copy = (status) => ({ id: "m", position: 2, content, status, toolCalls: calls.map((c) => ({ ...c })) });
  emit(added(copy("PENDING")));
  for (let step = pick(20); step > 0; step--) {
    const what = pick(10);
    if (what < 6) {
      const text = alphabet[pick(alphabet.length)];
      emit(delta(content.length, text));
      content += text;
    } else if (what < 8) {
      const call = { id: `t${calls.length}`, status: "STARTED" };
      calls = [...calls, call];
      emit(changed({ ...call }));
      call.status = "SUCCEEDED";
      emit(changed({ ...call }));
      kept = content.length;
    } else {
      content = content.slice(0, kept) + alphabet[pick(alphabet.length)];
      emit(delta(0, content));
    }
  }
  const final = copy(["COMPLETED", "FAILED", "CANCELLED"][pick(3)]);
  emit(finished(final));
  return { events, final };
}

test("any delivery with repetitions, losses and resumes ends with the stored text", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const pick = random(seed);
    const { events, final } = conversation(pick);
    let state = emptyConversation;
    for (let at = 0; at < events.length; at++) {
      state = reduceConversation(state, events[at]);
      if (pick(4) === 0) state = reduceConversation(state, events[pick(at + 1)]); // an earlier event again
      if (pick(8) === 0) at++; // one is lost
      if (state.gap || pick(6) === 0) {
        // The server sends everything since the cursor of the last event applied.
        at = Math.min(at, state.cursor === null ? -1 : Number(state.cursor));
        state = { ...state, gap: false };
      }
    }
    // A lost last event is what the cursor is for.
    for (const event of events.slice(Number(state.cursor) + 1)) state = reduceConversation(state, event);
    assert.deepEqual(state.messages, [final], `seed ${seed}`);
  }
});
