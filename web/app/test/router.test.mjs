import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener ??= () => {};
const { href, parseRoute } = await import("../src/router.ts");

test("routes survive the way through the URL", () => {
  for (const route of [
    { view: "chat", conversationId: null },
    { view: "chat", conversationId: "conv_1/ä?" },
    { view: "tasks", list: null },
    { view: "tasks", list: "today" },
    { view: "approvals" },
    { view: "settings", section: "tokens" },
  ]) {
    assert.deepEqual(parseRoute(href(route)), route);
  }
});

test("unknown and broken fragments lead to a new chat", () => {
  for (const hash of ["", "#", "#/", "#nothing", "#/x/y", "#/%E0%A4%A"]) assert.deepEqual(parseRoute(hash), { view: "chat", conversationId: null });
});
