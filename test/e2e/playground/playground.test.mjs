// The playground of the binary in a browser: the first steps of a new user. CHROMIUM is the path of the browser
// (default: /usr/bin/chromium), SCREENSHOTS a folder for screenshots.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { after, afterEach, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";
import { startServer } from "../server.mjs";
import { picture, run, shows, tab } from "../../../web/playground/check/steps.mjs";
import { Watch } from "../../../web/playground/check/watch.mjs";

const server = await startServer({ RULES_PACE: "60ms" });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
after(async () => {
  await browser.close();
  await server.stop();
});

let context, page, watch;
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
  page = await context.newPage();
  watch = new Watch(page, server.url);
  await page.goto(`${server.url}/playground`);
  await page.getByRole("button", { name: "alice", pressed: true }).waitFor();
});
afterEach(async ({ name }) => {
  await picture(page, name);
  watch.assertClean();
  await context.close();
});

test("a first message streams, and its task is visible to alice only", async () => {
  await tab(page, "SendMessage");
  const pieces = await record(page);
  await run(page);
  const reply = page.locator(".live-reply");
  await reply.getByText("completed").waitFor();
  await reply.getByText("Added task 1: Buy groceries.").waitFor();
  assert.ok(new Set(await pieces()).size > 2, "the text grew before it was complete");
  assert.ok((await page.locator('.live-event[data-type="MessageDelta"]').count()) > 0);

  await tab(page, "Tasks");
  await run(page);
  await shows(page, '"title": "Buy groceries"');

  await page.getByRole("button", { name: "bob" }).click();
  await page.getByRole("button", { name: "bob", pressed: true }).waitFor();
  assert.equal(await reply.count(), 0, "alice's reply is not shown to bob");
  await run(page);
  await shows(page, '"edges": []');
});

test("a reload in the middle of a reply keeps the conversation and its events", async () => {
  await run(page);
  await page.locator('.live-event[data-type="MessageDelta"]').first().waitFor();
  await shows(page, '"status": "PENDING"');
  await page.reload();
  await page.locator(".live-reply").getByText("Added task").waitFor();
  await finished(page, 1);
  assert.match(await page.locator(".live-event").first().textContent(), /MessageAdded/, "the first event is kept");
  await run(page);
  await finished(page, 2);
  assert.equal(await page.getByRole("tab").count(), 9);
  const { conversations } = await query(await server.signIn("alice"), "{ conversations(first: 5) { nodes { id } } }");
  const [newest] = conversations.nodes;
  await page.locator(".graphiql-editor-tool").getByText(newest.id).waitFor();
});

test("streams continue after a restart of the server, with the changes made meanwhile", async () => {
  await tab(page, "TaskStream");
  await run(page);
  await page.getByText("WebSocket connected").waitFor();
  const alice = await server.signIn("alice");
  for (let i = 1; !(await page.getByText(/Before \d/).count()); i++) await create(alice, `Before ${i}`);
  const restarted = watch.expectOutage();
  await server.restart(async () => {
    await page.getByText("The server does not respond.").waitFor();
    await page.getByText("WebSocket reconnecting").waitFor();
    await picture(page, "away");
  });
  await create(alice, "Meanwhile");
  await page.locator(".live-events").getByText("Meanwhile").waitFor();
  await page.getByText("WebSocket connected").waitFor();
  await page.getByText("The server does not respond.").waitFor({ state: "detached" });
  restarted();
  await page.getByRole("button", { name: "Stop query" }).click();
  await tab(page, "SendMessage");
  await run(page);
  await finished(page, 1);
});

test("a server without development sign-in takes a token, and states when it has expired", async () => {
  const secret = "s".repeat(40);
  const production = await startServer({ BETTER_AUTH_SECRET: secret, INTROSPECTION: "off" });
  const page = await context.newPage();
  const paste = async (token) => {
    await page.getByPlaceholder("paste an access token").fill(token);
    await page.keyboard.press("Enter");
  };
  try {
    await page.goto(`${production.url}/playground`);
    await page.getByText("This server has no development sign-in").waitFor();
    await page.getByText("Introspection is off").waitFor();
    await tab(page, "Tasks");
    await run(page);
    await shows(page, "UNAUTHENTICATED");
    await paste(token(secret, 3600));
    await page.getByText("valid until").waitFor();
    await run(page);
    await shows(page, '"edges": []');
    await picture(page, "token");
    await page.getByRole("button", { name: "Forget it" }).click();
    await paste(token(secret, -3600));
    await page.getByText("The token was rejected: it expired at").waitFor();
    await paste(token("t".repeat(40), 3600));
    await run(page);
    await page.getByText(/The token was rejected: (?!it expired)/).waitFor();
    await picture(page, "rejected");
  } finally {
    await page.close();
    await production.stop();
  }
});

test("the saved operations lead through an approval and an undo", async () => {
  const say = async (content, count) => {
    await tab(page, "SendMessage");
    await edit(page, ".graphiql-query-editor", (text) => text.replace(/content: ".*"/, `content: "${content}"`));
    await run(page);
    await finished(page, count);
  };
  const variables = (values) => edit(page, ".graphiql-editor-tool .graphiql-editor:not(.hidden)", () => JSON.stringify(values));
  await page.getByRole("button", { name: "bob" }).click();
  await page.getByRole("button", { name: "bob", pressed: true }).waitFor();
  await say("Add task One and add task Two", 1);
  await say("Delete tasks 1 and 2", 2);

  await tab(page, "Approvals");
  await run(page);
  await shows(page, '"kind": "DELETED"');
  const bob = await server.signIn("bob");
  const { viewer } = await query(bob, "{ viewer { pendingApprovals { id } } }");
  await tab(page, "ApproveToolCalls");
  await variables({ ids: viewer.pendingApprovals.map(({ id }) => id) });
  await run(page);
  await shows(page, '"status": "SUCCEEDED"');
  await finished(page, 3);

  await tab(page, "Changes");
  await run(page);
  await shows(page, '"undone": false');
  const { conversations } = await query(bob, "{ conversations(first: 1) { nodes { messages(last: 1) { nodes { id } } } } }");
  await tab(page, "UndoTurn");
  await variables({ messageId: conversations.nodes[0].messages.nodes[0].id });
  await run(page);
  await shows(page, '"kind": "DELETED"');
  await tab(page, "CreateTask");
  await run(page);
  await shows(page, '"title": "Pay the rent"');
  await tab(page, "Tasks");
  await run(page);
  for (const title of ["One", "Two", "Pay the rent"]) await shows(page, `"title": "${title}"`);
});

test("axe finds nothing that is ours, and the Tab key walks through the page", async () => {
  // Scripts of others are forbidden on the page; this one is added by the browser.
  await context.addInitScript({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
  await page.waitForLoadState("networkidle"); // a reload would abort the request for the schema
  await page.reload();
  await page.getByRole("button", { name: "alice", pressed: true }).waitFor();
  await page.getByText("SendMessage").first().waitFor();
  // GraphiQL's tabs contain buttons, and its editors scroll beside their field.
  const rules = { "nested-interactive": { enabled: false }, "scrollable-region-focusable": { enabled: false } };
  const found = await page.evaluate((rules) => axe.run(document, { resultTypes: ["violations"], rules }), rules);
  assert.deepEqual(found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`)), []);

  const walked = [];
  for (let i = 0; i < 60 && !walked.includes("Result"); i++) {
    await page.keyboard.press("Tab");
    walked.push(await page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.textContent));
  }
  for (const name of ["alice", "MessageStream", "TaskStream", "Operation", "Variables", "Result"]) assert.ok(walked.includes(name), `${name} in ${walked}`);
});

/** Changes the text of an editor. */
async function edit(page, editor, change) {
  const field = page.locator(`${editor} .CodeMirror`).first();
  const text = await field.evaluate((e) => e.CodeMirror.getValue());
  await field.evaluate((e, changed) => e.CodeMirror.setValue(changed), change(text));
}

/** A token signed with the secret, which expires after the given time. */
function token(secret, seconds) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: "newcomer", iat: now, exp: now + seconds };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

test("a task stream shows changes of the same user's other tab only", async () => {
  await tab(page, "TaskStream");
  await run(page);
  await page.getByText("WebSocket connected").waitFor();
  const [alice, bob] = await Promise.all(["alice", "bob"].map((user) => server.signIn(user)));
  let title;
  // An event is the only proof that the subscription is open.
  for (let i = 1; !(await page.getByText(/Of alice \d/).count()); i++) {
    await create(bob, "Of bob");
    await create(alice, (title = `Of alice ${i}`));
  }
  await shows(page, `"title": "${title}"`);
  assert.equal(await page.getByText("Of bob").count(), 0);
});

for (const [width, height] of [[1440, 900], [820, 1180], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`results and events are visible after five messages, ${width}×${height} ${colorScheme}`, async () => {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      for (let turn = 1; turn <= 5; turn++) {
        await run(page);
        await finished(page, turn);
        await assertLayout(page);
      }
      const list = page.getByRole("log", { name: "Events" });
      assert.ok(await list.evaluate((list) => list.scrollHeight > list.clientHeight), "the list of events scrolls");
      const background = await page.locator(".live").evaluate((live) => getComputedStyle(live).backgroundColor);
      const [red] = background.match(/\d+/g).map(Number);
      assert.equal(red > 128, colorScheme === "light", background);
    });
  }
}

/** Waits until the given number of replies is complete. */
async function finished(page, turns) {
  await page.waitForFunction(([selector, turns]) => document.querySelectorAll(selector).length === turns, [
    '.live-event[data-type="MessageFinished"]',
    turns,
  ]);
  await page.locator(".live-reply").getByText("completed").waitFor();
}

/** Every pane is large enough and on the screen, and the newest event is visible in the list. */
async function assertLayout(page) {
  const { width, height } = page.viewportSize();
  const minimum = {
    ".graphiql-query-editor .CodeMirror": 100, ".result-window": 140, ".live": 160, ".live-reply": 30, ".live-events": 60,
  };
  for (const [selector, least] of Object.entries(minimum)) {
    const box = await page.locator(selector).boundingBox();
    assert.ok(box.height >= least, `${selector} is ${box.height} px high`);
    assert.ok(box.width >= 180 && box.x >= 0 && box.x + box.width <= width, `${selector} is cut: ${JSON.stringify(box)}`);
    assert.ok(box.y >= 0 && box.y + box.height <= height, `${selector} is not on the screen: ${JSON.stringify(box)}`);
  }
  await assertApart(page, [".graphiql-editors", ".result-window", ".live"]);
  await assertApart(page, [".graphiql-query-editor .CodeMirror", ".graphiql-editor-tool .CodeMirror", ".result-window"]);
  const list = await page.locator(".live-events").boundingBox();
  const newest = await page.locator(".live-event").last().boundingBox();
  assert.ok(newest.y < list.y + list.height && newest.y + newest.height <= list.y + list.height + 1, "the newest event");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(overflow, 0, "the page scrolls sideways");
}

async function assertApart(page, selectors) {
  const boxes = await Promise.all(selectors.map((selector) => page.locator(selector).first().boundingBox()));
  const overlap = (a, b) =>
    Math.min(a.x + a.width, b.x + b.width) > Math.max(a.x, b.x) + 1 &&
    Math.min(a.y + a.height, b.y + b.height) > Math.max(a.y, b.y) + 1;
  for (const [i, a] of boxes.entries()) {
    for (const [j, b] of boxes.entries()) {
      assert.ok(j <= i || !overlap(a, b), `${selectors[i]} and ${selectors[j]} overlap: ${JSON.stringify([a, b])}`);
    }
  }
}

/** Records each text of the streamed reply from now on. Returns a function that fetches the texts. */
async function record(page) {
  await page.evaluate(() => {
    globalThis.texts = [];
    const note = () => globalThis.texts.push(document.querySelector(".live-reply")?.textContent ?? "");
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => globalThis.texts);
}

const createTask = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

async function create(token, title) {
  await query(token, createTask, { input: { title } });
}

async function query(token, query, variables) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}
