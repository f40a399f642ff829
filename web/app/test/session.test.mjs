import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import "./browser.mjs";

const { authRequest } = await import("../src/session/http.ts");
const { ServerSession } = await import("../src/session/serverSession.ts");
const { load, save } = await import("../src/store.ts");

const minutes = (n) => new Date(Date.now() + n * 60_000).toISOString();
/** A grant with a token for a user that is valid for some minutes. */
const grant = (sub, life, version = 0) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return { accessToken: `${part({})}.${part({ iss: "urn:errand:1", sub, version })}.x`, expiresAt: minutes(life), user: { login: sub, name: "", role: "MEMBER" } };
};

/** Requests that the fake server has received, and what it answers: [status, body], or an error of the network. */
let requests, answers;
const sessions = [];
beforeEach(() => {
  requests = [];
  answers = {};
  globalThis.fetch = async (url, init) => {
    const path = String(url).replace(/^.*\/auth\//, "");
    requests.push({ path, ...init });
    const answer = await (typeof answers[path] === "function" ? answers[path]() : answers[path]);
    if (!answer) throw new TypeError("Failed to fetch");
    return new Response(answer[1] === undefined ? null : typeof answer[1] === "string" ? answer[1] : JSON.stringify(answer[1]), { status: answer[0] });
  };
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.forget();
  localStorage.clear();
});
const open = (g) => {
  const session = new ServerSession(g);
  sessions.push(session);
  return session;
};
const paths = () => requests.map(({ path }) => path);

test("authRequest: requests that change something are JSON, and errors have their code, field and wait", async () => {
  answers["sign-in"] = [429, { error: { code: "RATE_LIMITED", message: "Wait.", retryAfterMs: 1500 } }];
  await assert.rejects(authRequest("POST", "sign-in", { login: "ann" }), (e) => e.code === "RATE_LIMITED" && e.extensions.retryAfterMs === 1500 && e.message === "Wait.");
  assert.equal(requests[0].headers["content-type"], "application/json");
  assert.equal(requests[0].body, '{"login":"ann"}');
  answers["redeem"] = [400, { error: { code: "BAD_USER_INPUT", message: "Taken.", field: "login" } }];
  await assert.rejects(authRequest("POST", "redeem"), (e) => e.extensions.field === "login");
  answers["account"] = [502, "<html>Bad gateway</html>"];
  await assert.rejects(authRequest("GET", "account", undefined, "t"), { code: "NETWORK_ERROR" });
  assert.equal(requests[2].headers.authorization, "Bearer t");
  await assert.rejects(authRequest("GET", "users"), { code: "NETWORK_ERROR" });
  answers["sessions/1"] = [204];
  assert.equal(await authRequest("DELETE", "sessions/1"), undefined);
});

test("token: a valid one is used, and one that expires soon is replaced once for all requests", async () => {
  const session = open(grant("ann", 10));
  const first = await session.token({ reason: "use" });
  assert.deepEqual(paths(), []);
  const next = grant("ann", 10, 1);
  answers["refresh"] = [200, next];
  const all = await Promise.all(["rejected", "expiring", "rejected"].map((reason) => session.token({ reason })));
  assert.deepEqual(all, Array(3).fill(next.accessToken));
  assert.notEqual(first, next.accessToken);
  assert.deepEqual(paths(), ["refresh"]);
  const old = open(grant("bob", 0.5));
  answers["refresh"] = [200, grant("bob", 10)];
  assert.equal(await old.token({ reason: "use" }), answers["refresh"][1].accessToken);
});

test("token: null after the session has ended, and an error while the server cannot be reached", async () => {
  const session = open(grant("ann", 0.5));
  await assert.rejects(session.token({ reason: "use" }), { code: "NETWORK_ERROR" });
  answers["refresh"] = [503, { error: { code: "SERVICE_UNAVAILABLE", message: "Busy." } }];
  await assert.rejects(session.token({ reason: "use" }), { code: "SERVICE_UNAVAILABLE" });
  answers["refresh"] = [401, { error: { code: "UNAUTHENTICATED", message: "Sign in first." } }];
  assert.equal(await session.token({ reason: "use" }), null);
  const count = requests.length;
  assert.equal(await session.token({ reason: "rejected" }), null);
  assert.equal(requests.length, count);
});

test("token: one tab refreshes for all", async () => {
  const [one, other] = [open(grant("ann", 0.5)), open(grant("ann", 0.5))];
  const next = grant("ann", 10, 1);
  answers["refresh"] = [200, next];
  const arrived = new Promise((resolve) => new BroadcastChannel("errand:session:" + (new URL("../", new URL("../src/base.ts", import.meta.url))).pathname).addEventListener("message", function () { this.close(); resolve(); }));
  await one.token({ reason: "use" });
  await arrived;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await other.token({ reason: "use" }), next.accessToken);
  assert.deepEqual(paths(), ["refresh"]);
});

test("token: never that of another user, who has signed in in another tab", async () => {
  let reloads = 0;
  location.reload = () => reloads++;
  const session = open(grant("ann", 0.5));
  answers["refresh"] = [200, grant("bob", 10)];
  assert.equal(await session.token({ reason: "use" }), null);
  assert.equal(reloads, 1);
});

test("token: a sign-out during a refresh has the last word", async () => {
  const session = open(grant("ann", 0.5));
  answers["refresh"] = () => (session.forget(), [200, grant("ann", 10)]);
  assert.equal(await session.token({ reason: "use" }), null);
});

test("signOut: without a network the session ends at the next visit; everywhere is all or nothing", async () => {
  const session = open(grant("ann", 10));
  await assert.rejects(session.signOut(true), { code: "NETWORK_ERROR" });
  assert.equal(load("sign-out-pending"), null);
  await assert.rejects(session.signOut(false), { code: "NETWORK_ERROR" });
  assert.equal(load("sign-out-pending"), true);
  answers["sign-out"] = [204];
  answers["refresh"] = [200, grant("ann", 10)];
  requests = [];
  assert.equal(await ServerSession.resume(), null);
  assert.deepEqual(paths(), ["sign-out"]);
  assert.equal(load("sign-out-pending"), null);
  save("sign-out-pending", null);
});
