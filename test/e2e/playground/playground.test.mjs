// The playground of the binary in a browser: the first steps of a new user. CHROMIUM is the path of the browser
// (default: /usr/bin/chromium), SCREENSHOTS a folder for screenshots.
import assert from "node:assert/strict";
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
  const list = await page.locator(".live-events").boundingBox();
  const newest = await page.locator(".live-event").last().boundingBox();
  assert.ok(newest.y < list.y + list.height && newest.y + newest.height <= list.y + list.height + 1, "the newest event");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(overflow, 0, "the page scrolls sideways");
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
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: createTask, variables: { input: { title } } }),
  });
  const { errors } = await response.json();
  assert.equal(errors, undefined);
}
