import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.mjs";

const { forgetUser, load, save, UserStorage } = await import("../src/store.ts");

test("sign-out removes what belongs to the user, and keeps the settings of the browser", () => {
  save("preferences", { theme: "dark" });
  save("user:draft:new", "half a thought");
  new UserStorage().setItem("outbox:conv_1", "[]");
  save("user:development", "bob");
  localStorage.setItem("another application", "1");
  forgetUser(["user:development"]);
  assert.deepEqual(Object.keys(localStorage).sort(), ["another application", "errand:preferences", "errand:user:development"]);
  forgetUser();
  assert.equal(load("user:development"), null);
  assert.deepEqual(load("preferences"), { theme: "dark" });
});

test("a storage that is closed writes nothing, and still removes", () => {
  const storage = new UserStorage();
  storage.setItem("outbox:conv_1", "[]");
  storage.close();
  storage.setItem("outbox:conv_2", "[]");
  assert.equal(storage.getItem("outbox:conv_1"), "[]");
  assert.equal(storage.getItem("outbox:conv_2"), null);
  storage.removeItem("outbox:conv_1");
  assert.equal(storage.getItem("outbox:conv_1"), null);
});

test("a browser that forbids storage, or has broken entries, is no error", () => {
  localStorage.setItem("errand:user:draft:new", "{broken");
  assert.equal(load("user:draft:new"), null);
  const forbidden = { getItem() { throw new Error("SecurityError"); }, setItem() { throw new Error("QuotaExceededError"); } };
  const before = globalThis.localStorage;
  globalThis.localStorage = forbidden;
  save("x", 1);
  assert.equal(load("x"), null);
  globalThis.localStorage = before;
});
