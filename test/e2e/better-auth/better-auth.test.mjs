// Users of a Better Auth server use the errand binary: sign-up, key rotation, token renewal and account deletion.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../server.mjs";
import { ConversationState, connect, post, request } from "./client.mjs";
import { startProvider } from "./provider.mjs";

let provider, errand;
let life = "15m";

before(async () => {
  provider = await startProvider({ life: () => life });
  errand = await startServer({
    AUTH_JWKS_URL: provider.jwks, AUTH_LEEWAY: "0s", RULES_PACE: "200ms", ENVIRONMENT: "production",
  });
});
after(async () => {
  await errand?.stop();
  await provider?.stop();
});

const VIEWER = "{ viewer { id name email } }";
const SEND = `mutation ($content: String!) { sendMessage(input: { content: $content }) {
  conversation { id } assistantMessage { id } } }`;
const STORED = "query ($id: ID!) { node(id: $id) { ... on Message { content status } } }";
/** The interval between two polls. */
const pause = () => sleep(100, true);
const kid = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

test("a user who signs up at the provider has an account, over HTTP and WebSocket", async () => {
  const alice = await provider.signUp("Alice");
  const token = await alice.token();
  const { viewer } = await request(errand, token, VIEWER);
  assert.equal(viewer.name, alice.name);
  assert.equal(viewer.email, alice.email);
  const client = connect(errand, () => alice.token());
  for await (const { data } of client.iterate({ query: VIEWER })) assert.deepEqual(data.viewer, viewer);
  await client.dispose();
  const bob = await provider.signUp("Bob");
  assert.notEqual((await request(errand, await bob.token(), VIEWER)).viewer.id, viewer.id);
});

// Runs before the test with invalid tokens: an unknown key makes the server fetch the keys at most every 30 seconds.
test("a rotated key is accepted at once, and the old key while it is published", async () => {
  const dave = await provider.signUp("Dave");
  const old = await dave.token();
  const { viewer } = await request(errand, old, VIEWER);
  provider.rotate();
  const fresh = await dave.token();
  assert.notEqual(kid(fresh), kid(old));
  assert.deepEqual((await request(errand, fresh, VIEWER)).viewer, viewer);
  assert.deepEqual((await request(errand, old, VIEWER)).viewer, viewer);
});

test("invalid tokens are rejected, over HTTP and WebSocket", async () => {
  const carol = await provider.signUp("Carol");
  const good = await carol.token();
  const [head, body, signature] = good.split(".");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const publicKey = (await (await fetch(provider.jwks)).json()).keys[0];
  const forged = `${encode({ alg: "HS256", kid: kid(good) })}.${body}`;
  const otherProvider = await startProvider();
  const invalid = {
    "from another server": await (await otherProvider.signUp("Carol")).token(),
    "with another subject": `${head}.${encode({ ...claims(good), sub: "other-user" })}.${signature}`,
    "without a signature": `${encode({ alg: "none" })}.${body}.`,
    "signed with the public key as a secret": `${forged}.${createHmac("sha256", publicKey.x).update(forged).digest("base64url")}`,
    "for another audience": await provider.sign({ sub: "carol", aud: "https://elsewhere.example.com" }),
    "from another issuer": await provider.sign({ sub: "carol", iss: "https://elsewhere.example.com" }),
    "expired": await provider.sign({ sub: "carol", exp: Math.floor(Date.now() / 1000) - 5 }),
    "without a subject": await provider.sign({ name: "Carol" }),
    "a session token": carol.session,
  };
  await otherProvider.stop();
  for (const [name, token] of Object.entries(invalid)) {
    const { status, errors } = await post(errand, token, VIEWER);
    assert.equal(status, 401, name);
    assert.equal(errors[0].extensions.code, "UNAUTHENTICATED", name);
    const client = connect(errand, () => token);
    await assert.rejects(async () => { for await (const _ of client.iterate({ query: VIEWER })); }, { code: 4403 }, name);
  }
  const { errors } = await post(errand, null, VIEWER);
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
  assert.equal((await request(errand, good, VIEWER)).viewer.email, carol.email);
});

test("a stream continues when its token is renewed", async () => {
  const erin = await provider.signUp("Erin");
  const sent = (await request(errand, await erin.token(), SEND, { content: "What can you do for me?" })).sendMessage;
  life = "4s";
  const seen = {}, state = new ConversationState(), started = Date.now();
  let last;
  const client = connect(errand, async () => (last = await erin.token()), { renew: true, seen });
  assert.ok(await state.follow(client, sent.conversation.id, sent.assistantMessage.id), "the message finishes");
  life = "15m";
  assert.ok(Date.now() - started > 4500, "the reply took longer than the token lifetime");
  assert.ok(seen.renewed >= 1);
  assert.equal(seen.opened, 1, "on one connection");
  await assertStored(state, erin, sent.assistantMessage.id);
  await client.dispose();
});

test("a stream whose token expired resumes with a new token without loss", async () => {
  const frank = await provider.signUp("Frank");
  const sent = (await request(errand, await frank.token(), SEND, { content: "What can you do for me?" })).sendMessage;
  life = "3s";
  const seen = {}, state = new ConversationState();
  const client = connect(errand, () => frank.token(), { seen });
  const complete = await state.follow(client, sent.conversation.id, sent.assistantMessage.id);
  life = "15m";
  assert.equal(complete, false, "the first connection ends before the reply");
  assert.deepEqual(seen.closed, [4403]);
  assert.ok(await state.follow(client, sent.conversation.id, sent.assistantMessage.id));
  await assertStored(state, frank, sent.assistantMessage.id);
  await client.dispose();
});

/** Asserts that the streamed text of a message equals the stored text. */
async function assertStored(state, user, id) {
  const { node } = await request(errand, await user.token(), STORED, { id });
  assert.equal(node.status, "COMPLETED");
  assert.equal(state.texts[id], node.content);
  assert.equal(state.finished[id].content, node.content);
}

test("a deleted account is not restored by an old token; signing in again creates a new account", async () => {
  const grace = await provider.signUp("Grace");
  const token = await grace.token();
  const { viewer } = await request(errand, token, VIEWER);
  await request(errand, token, `mutation { deleteViewer(confirm: "delete my account") { deletedId } }`);
  const { status, errors } = await post(errand, token, VIEWER);
  assert.equal(status, 401);
  assert.match(errors[0].message, /deleted/);
  // iat has a resolution of one second; a token of a later second creates a new account.
  let next;
  do next = await post(errand, await grace.token(), VIEWER); while (next.errors && (await pause()));
  assert.notEqual(next.data.viewer.id, viewer.id);
  assert.equal(next.data.viewer.email, grace.email);
});

test("cached keys are used while the identity provider is down, and a server without keys waits for the provider", async () => {
  const heidi = await provider.signUp("Heidi");
  const token = await heidi.token();
  const { viewer } = await request(errand, token, VIEWER);
  const port = provider.port;
  await provider.stop();
  assert.deepEqual((await request(errand, token, VIEWER)).viewer, viewer);
  const early = await startServer({ AUTH_JWKS_URL: provider.jwks, ENVIRONMENT: "production" });
  const { errors } = await post(early, token, VIEWER);
  assert.equal(errors[0].extensions.code, "SERVICE_UNAVAILABLE");
  provider = await startProvider({ port });
  const ivan = await (await provider.signUp("Ivan")).token();
  let answer;
  do answer = await post(early, ivan, VIEWER); while (answer.errors?.[0].extensions.code === "SERVICE_UNAVAILABLE" && (await pause()));
  assert.equal(answer.data?.viewer.name, "Ivan");
  await early.stop();
});
