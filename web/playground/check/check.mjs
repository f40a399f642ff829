// Tests the playground in a browser, with the real Go handler and a fake GraphQL server.
// CHROMIUM is the browser (default /usr/bin/chromium), SCREENSHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { call, message, startBackend, task } from "./backend.mjs";
import { holdsNothing, picture, run, shows, tab, until } from "./steps.mjs";
import { Watch } from "./watch.mjs";

/** Tabs on the first visit: src/operations.ts. */
const firstTabs = 9;

const backend = await startBackend();
const go = spawn("go", ["run", "serve.go", "-backend", backend.url], {
  cwd: import.meta.dirname,
  stdio: ["pipe", "pipe", "inherit"],
});
const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();
const devURL = (await lines.next()).value;
const tokenURL = (await lines.next()).value;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

try {
  await signedIn();
  await signInFails();
  await pastedToken();
  console.log("playground: every check passed");
} catch (error) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) await picture(page, "failure");
  throw error;
} finally {
  await browser.close();
  go.stdin.end();
  backend.stop();
}

async function signedIn() {
  const page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
  const watch = new Watch(page, devURL);
  await page.goto(`${devURL}/playground`);
  await page.getByRole("button", { name: "alice", pressed: true }).waitFor();
  await repliesStream(page);
  await streamsResume(page);
  await subscriptionsShowLive(page);
  await switchingReconnects(page);
  await refusedTokenIsRenewed(page, watch);
  await nothingStored(page);
  await dialogsOpen(page);
  watch.assertClean();
  await page.close();
}

async function repliesStream(page) {
  await tab(page, "SendMessage");
  await run(page);
  await shows(page, '"id": "conv_alice"');
  const topic = "alice conv_alice";
  await until(page, () => backend.listeners(topic) === 1);
  const reply = page.locator(".live-reply");
  backend.emit(topic, { __typename: "MessageAdded", message: message("", "STREAMING") });
  backend.emit(topic, { __typename: "MessageDelta", messageId: "msg_2", offset: 0, text: "Added " });
  await reply.getByText("Added").waitFor();
  backend.emit(topic, { __typename: "ToolCallChanged", toolCall: call("add_task") });
  backend.emit(topic, { __typename: "MessageDelta", messageId: "msg_2", offset: 6, text: "task 1: buy groceries." });
  await reply.getByText("Added task 1: buy groceries.").waitFor();
  await picture(page, "reply");
  backend.emit(topic, { __typename: "MessageFinished", message: message("Added task 1: buy groceries.", "COMPLETED") });
  await reply.getByText("completed").waitFor();
}

/** Reloads, and loses the connection, in the middle of a reply. */
async function streamsResume(page) {
  const topic = "alice conv_alice";
  const reply = page.locator(".live-reply");
  const delta = (offset, text) =>
    backend.emit(topic, { __typename: "MessageDelta", messageId: "msg_2", offset, text });
  await run(page);
  let cursor = delta(0, "one ");
  await reply.getByText("one").waitFor();
  await page.reload();
  await until(page, () => backend.opened.at(-1).after === cursor && backend.listeners(topic) === 1);
  await reply.getByText("one").waitFor();
  cursor = delta(4, "two ");
  await reply.getByText("one two").waitFor();
  for (const text of ["three ", "four "]) {
    const opened = backend.opened.length;
    backend.dropSockets();
    await until(page, () => backend.opened.length > opened && backend.listeners(topic) === 1);
    assert.equal(backend.opened.at(-1).after, cursor, "the stream continues after the last event");
    cursor = delta((await reply.locator("p").textContent()).length, text);
    await reply.getByText(text).waitFor();
  }
  assert.equal(await reply.locator("p").textContent(), "one two three four ");
  assert.equal(await page.getByRole("tab").count(), firstTabs, "a reload adds no tab");
}

async function subscriptionsShowLive(page) {
  await tab(page, "MessageStream");
  await page.locator(".graphiql-editor-tool .CodeMirror").first().getByText("conv_alice").waitFor();
  const topic = "alice conv_alice";
  const opened = backend.opened.length;
  await run(page);
  await until(page, () => backend.opened.length > opened && backend.listeners(topic) === 1);
  for (const text of ["first", "second"]) {
    backend.emit(topic, { __typename: "MessageDelta", messageId: "msg_3", offset: 0, text });
    await shows(page, `"text": "${text}"`);
  }
  await picture(page, "subscription");
  assert.equal(backend.listeners(topic), 1, "the user's subscription replaces the page's");
  await page.getByRole("button", { name: "Stop query" }).click();
  await page.getByRole("checkbox", { name: "follow replies" }).uncheck();
  await until(page, () => backend.listeners(topic) === 0);
  await page.getByRole("checkbox", { name: "follow replies" }).check();
  await until(page, () => backend.listeners(topic) === 1);
  await newConversation(page, topic);
}

async function newConversation(page, topic) {
  await page.getByRole("button", { name: "New conversation" }).click();
  await until(page, () => backend.listeners(topic) === 0);
  const variables = page.locator(".graphiql-editor-tool .CodeMirror").first();
  await variables.getByText("null").waitFor();
  await tab(page, "SendMessage");
  await variables.getByText("null").waitFor();
  await run(page);
  await variables.getByText("conv_alice").waitFor();
  await until(page, () => backend.listeners(topic) === 1);
  backend.emit(topic, { __typename: "MessageAdded", message: message("Hello", "COMPLETED") });
  await page.locator(".live-reply").getByText("Hello").waitFor();
  await manyEvents(page, topic);
  backend.complete(topic);
  await page.locator(".live-event").last().getByText("complete").waitFor();
  await variables.getByText("null").waitFor();
  await run(page);
  await variables.getByText("conv_alice").waitFor();
  await until(page, () => backend.listeners(topic) === 1);
  backend.emit(topic, { __typename: "MessageAdded", message: message("Hello again", "COMPLETED") });
  await page.locator(".live-reply").getByText("Hello again").waitFor();
}

/** A reply of 60,000 characters and more events than the list keeps. */
async function manyEvents(page, topic) {
  const piece = "A sentence of a long reply. ".repeat(8);
  for (let i = 0; i < 270; i++) {
    backend.emit(topic, { __typename: "MessageDelta", messageId: "msg_2", offset: i * piece.length, text: piece });
  }
  const content = piece.repeat(270);
  backend.emit(topic, { __typename: "MessageFinished", message: message(content, "COMPLETED") });
  await page.locator(".live-reply").getByText("completed").waitFor();
  await page.getByText("newest 200").waitFor();
  assert.equal((await page.locator(".live-reply p").textContent()).length, content.length);
  assert.equal(await page.locator(".live-event").count(), 200);
  assert.match(await page.locator(".live-event").last().textContent(), /MessageFinished .*characters\)$/);
  const { height } = page.viewportSize();
  for (const selector of [".result-window", ".live-reply p", ".live-events"]) {
    const box = await page.locator(selector).boundingBox();
    const distance = await page.locator(selector).evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
    if (selector !== ".result-window") assert.ok(distance < 2, `${distance} px below the newest event`);
    assert.ok(box.height >= 60 && box.y + box.height <= height, `${selector}: ${JSON.stringify(box)}`);
  }
  await picture(page, "long");
}

async function switchingReconnects(page) {
  await tab(page, "TaskStream");
  await run(page);
  await until(page, () => backend.listeners("alice") === 1);
  assert.equal(await page.locator(".live-reply").count(), 1);
  await page.getByRole("button", { name: "bob" }).click();
  await page.locator(".live-empty").waitFor();
  assert.equal(await page.locator(".live-reply").count(), 0, "the last person's reply is not bob's to read");
  await until(page, () => backend.listeners("bob") === 1 && backend.listeners("alice") === 0);
  assert.equal(backend.socketUsers.at(-1), "bob");
  const change = { actor: "AGENT" };
  backend.emit("alice", { kind: "CREATED", task: task(7, "hers"), change });
  backend.emit("bob", { kind: "CREATED", task: task(8, "his"), change });
  await shows(page, '"title": "his"');
  assert.equal(await page.getByText("hers").count(), 0);
  await tab(page, "Tasks");
  await run(page);
  await shows(page, "bob's task");
  await tab(page, "SendMessage");
  await holdsNothing(page);
  await tab(page, "Tasks");
  await shows(page, "bob's task");
  await page.getByLabel("Another name").fill("dave");
  await page.getByRole("button", { name: "Switch" }).click();
  await page.getByRole("button", { name: "dave", pressed: true }).waitFor();
  await holdsNothing(page);
  await run(page);
  await shows(page, "dave's task");
  await picture(page, "switched");
  assert.deepEqual(backend.signIns, ["alice", "alice", "bob", "dave"]);
}

async function refusedTokenIsRenewed(page, watch) {
  backend.forgetTokens();
  watch.expectRefusals(1);
  await run(page);
  await until(page, () => backend.httpUsers.at(-1) === "dave" && backend.signIns.length === 5);
  await shows(page, "dave's task");
  backend.forgetTokens();
  await tab(page, "TaskStream");
  await run(page);
  await until(page, () => backend.listeners("dave") === 1);
  await page.getByRole("button", { name: "Stop query" }).click();
}

async function nothingStored(page) {
  await page.reload();
  await page.getByRole("button", { name: "dave", pressed: true }).waitFor();
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(stored, /secret-/);
  assert.equal(await page.getByRole("tab").count(), firstTabs);
}

async function dialogsOpen(page) {
  for (const dialog of ["Open settings dialog", "Open short keys dialog"]) {
    await page.getByRole("button", { name: dialog }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.getByText("Root Types").waitFor();
  await page.getByRole("button", { name: "Show History" }).click();
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "dark");
}

async function signInFails() {
  const page = await browser.newPage({ viewport: { width: 1440, height: 600 } });
  const watch = new Watch(page, devURL);
  const signIn = `${devURL}/dev/sign-in`;
  const error = { message: "Development sign-in is for loopback only." };
  await page.route(signIn, (route) => route.fulfill({ status: 403, json: { errors: [error] } }));
  watch.expectRefusals(1);
  await page.goto(`${devURL}/playground`);
  await page.getByRole("alert").getByText(error.message).waitFor();
  await picture(page, "refused");
  await page.unroute(signIn);
  const answered = page.waitForResponse(`${devURL}/graphql`);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("button", { name: "alice", pressed: true }).waitFor();
  assert.ok((await (await answered).json()).data.__schema, "the schema is asked for again");
  // Nothing was changed: a reload must not add a tab.
  await page.waitForFunction(() => localStorage.getItem("graphiql:tabState"));
  await page.reload();
  await page.getByTitle("TaskStream", { exact: true }).waitFor();
  assert.equal(await page.getByRole("tab").count(), firstTabs);
  watch.assertClean();
  await page.close();
}

async function pastedToken() {
  const page = await browser.newPage({ viewport: { width: 1024, height: 700 } });
  const watch = new Watch(page, tokenURL);
  await page.goto(`${tokenURL}/playground`);
  await page.getByText("This server has no development sign-in").waitFor();
  const before = backend.signIns.length;
  await useToken(page, `Bearer ${backend.issueToken("erin")}`);
  await tab(page, "Tasks");
  await run(page);
  await shows(page, "erin's task");
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage })), /secret-/);
  backend.forgetTokens();
  watch.expectRefusals(1);
  await run(page);
  await page.getByText("The token was rejected: The token is not valid. Paste a new one above.").waitFor();
  await shows(page, "The token is not valid.");
  await picture(page, "rejected");
  await useToken(page, backend.issueToken("frank"));
  await run(page);
  await shows(page, "frank's task");
  await page.getByRole("button", { name: "Forget it" }).click();
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /secret-/);
  assert.equal(backend.signIns.length, before);
  await picture(page, "token");
  watch.assertClean();
  await page.close();
}

async function useToken(page, token) {
  await page.getByLabel("Access token").and(page.locator("input")).fill(token);
  await page.getByRole("button", { name: "Use", exact: true }).click();
}
