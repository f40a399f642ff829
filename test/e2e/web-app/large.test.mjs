// Lists of the page with many rows: at most 200 are in the document. Times are printed, counts are asserted.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { graphql, launch, Visit } from "./browser.mjs";

const TASKS = 5_000;
const MESSAGES = 1_000;
const MOST_ROWS = 200;

const unlimited = { MESSAGES_PER_MINUTE: "100000", MUTATIONS_PER_MINUTE: "100000" };
const server = await startServer({ RULES_PACE: "0s", RUN_SWEEP: "10ms", ...unlimited });
const browser = await launch();
after(async () => {
  await browser.close();
  await server.stop();
});

let visit;
afterEach(async () => {
  await visit?.close();
  visit = null;
});

const user = "collector";
const since = (began) => `${((performance.now() - began) / 1_000).toFixed(1)} s`;

async function open(t, route, first) {
  visit = await Visit.open(browser, `${server.url}/`, user);
  const began = performance.now();
  await visit.route(route);
  await visit.page.locator(first).first().waitFor();
  t.diagnostic(`first row after ${since(began)}`);
  // Counts rows whenever the document changes, so that no moment is missed.
  await visit.page.evaluate(() => {
    window.mostRows = 0;
    const count = () => (window.mostRows = Math.max(window.mostRows, document.querySelectorAll("[data-row]").length));
    new MutationObserver(count).observe(document.body, { subtree: true, childList: true });
    count();
  });
  return visit.page;
}

/** Scrolls the list to an end, again and again while rows are added to it, until a row is at that end. */
const scrolled = (page, list, end, row) =>
  page.waitForFunction(
    ([list, end, row]) => {
      const box = document.querySelector(list);
      box.scrollTop = end === "top" ? 0 : box.scrollHeight;
      return box.querySelector(row) !== null;
    },
    [list, end, row],
    { timeout: 60_000 },
  );

async function assertRows(t, page) {
  const rows = await page.evaluate(() => window.mostRows);
  t.diagnostic(`at most ${rows} rows in the document`);
  assert.ok(rows <= MOST_ROWS, `${rows} rows are in the document`);
}

test(`${TASKS} tasks scroll to the end`, async (t) => {
  const seeded = performance.now();
  const apply = "mutation ($operations: [TaskOperation!]!) { applyTasks(operations: $operations) { applied } }";
  for (let i = 1; i <= TASKS; i += 50) {
    const operations = Array.from({ length: 50 }, (_, n) => ({ create: { title: `Task ${i + n}` } }));
    await graphql(server, user, apply, { operations });
  }
  t.diagnostic(`stored in ${since(seeded)}`);
  const page = await open(t, "#/tasks", ".task-row");
  let requests = 0;
  page.on("request", (request) => request.postData()?.includes("query Tasks(") && requests++);
  const began = performance.now();
  await scrolled(page, ".task-scroll", "bottom", `.task-row[aria-posinset="${TASKS}"]`);
  t.diagnostic(`scrolled in ${since(began)}, ${requests} requests`);
  assert.ok(requests <= TASKS / 100 + 1, `${requests} requests`);
  await assertRows(t, page);
});

test(`a conversation of ${MESSAGES} messages scrolls to its beginning and back`, async (t) => {
  const seeded = performance.now();
  const send = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { conversation { id } } }";
  const waiting = "query ($id: ID!) { conversation(id: $id) { messages(last: 1) { nodes { status } } } }";
  let conversationId;
  for (let i = 1; i <= MESSAGES / 2; i++) {
    const { sendMessage } = await graphql(server, user, send, { input: { conversationId, content: `Hello ${i}` } });
    conversationId = sendMessage.conversation.id;
    // At most 20 replies may wait.
    if (i % 15 === 0 || i === MESSAGES / 2) {
      for (let last; last !== "COMPLETED"; ) {
        const { conversation } = await graphql(server, user, waiting, { id: conversationId });
        last = conversation.messages.nodes[0].status;
      }
    }
  }
  t.diagnostic(`stored in ${since(seeded)}`);
  const page = await open(t, `#/c/${conversationId}`, ".message");
  await page.locator(`.message[data-position="${MESSAGES}"]`).waitFor();
  const began = performance.now();
  await scrolled(page, ".messages-scroll", "top", '.message[data-position="1"]');
  t.diagnostic(`scrolled in ${since(began)}`);
  await page.getByRole("button", { name: "Jump to the latest message" }).click();
  await page.locator(`.message[data-position="${MESSAGES}"]`).waitFor();
  await assertRows(t, page);
});
