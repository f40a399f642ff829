import assert from "node:assert/strict";
import { test } from "node:test";
import { grow, initialWindow, messagesIn, MOST } from "../src/chat/window.ts";

const messages = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => ({ position: from + i }));
const ends = (list) => [list[0].position, list.at(-1).position];

test("the first window shows the newest messages", () => {
  assert.deepEqual(ends(messagesIn(messages(1, 1000), initialWindow)), [961, 1000]);
  assert.deepEqual(ends(messagesIn(messages(1, 5), initialWindow)), [1, 5]);
});

test("scrolling to the oldest message and back shows every message, never too many at once", () => {
  const all = messages(1, 1000);
  const seen = new Set();
  let window = initialWindow;
  const look = (direction, done) => {
    for (let n = 0; n < 100; n++) {
      const shown = messagesIn(all, window);
      assert.ok(shown.length <= MOST, `${shown.length} rows`);
      for (let i = 1; i < shown.length; i++) assert.equal(shown[i].position, shown[i - 1].position + 1, "without holes");
      for (const m of shown) seen.add(m.position);
      if (done(shown)) return;
      const next = grow(all, window, direction);
      assert.notDeepEqual(ends(messagesIn(all, next)), ends(shown), "it moves");
      window = next;
    }
    assert.fail("no end");
  };
  look("up", (shown) => shown[0].position === 1);
  assert.equal(seen.size, 1000);
  seen.clear();
  look("down", (shown) => shown.at(-1).position === 1000);
  assert.equal(window.end, null, "it follows new messages again");
  assert.equal(seen.size, 1000);
});

test("a window that moves keeps the rows that are in sight", () => {
  const all = messages(1, 1000);
  let window = initialWindow;
  for (let n = 0; n < 10; n++) {
    const [first] = ends(messagesIn(all, window));
    window = grow(all, window, "up");
    const shown = messagesIn(all, window).map((m) => m.position);
    assert.ok(shown.includes(first) && shown.includes(first + 20), `${first} in ${shown[0]}–${shown.at(-1)}`);
  }
});
