// The page as it looks and is used: phone, keyboard, sign-out, no network, a path prefix, accessibility. Screenshots of
// its views are kept in .cache/e2e/page.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { graphql, launch, Visit } from "./browser.mjs";
import { startPrefixProxy } from "./prefix.mjs";

const server = await startServer({ RULES_PACE: "1ms" });
const browser = await launch();
after(async () => {
  await browser.close();
  await server.stop();
});

const phone = { width: 390, height: 844 };
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let visit;
let users = 0;
async function open({ url = server.url, user = `viewer-${++users}`, ...options } = {}) {
  visit = await Visit.open(browser, `${url}/`, user, options);
  await visit.composer.waitFor();
  return visit.page;
}
afterEach(async () => {
  await visit?.close();
  visit = null;
});

test("on a phone, tabs switch between chat, tasks and settings", async () => {
  const page = await open({ viewport: phone, hasTouch: true, isMobile: true });
  const tabs = page.locator(".tabs");
  await visit.composer.fill("Add task Buy bread");
  await page.getByRole("button", { name: "Send" }).tap();
  await visit.reply("Buy bread");
  await tabs.getByRole("link", { name: "Tasks" }).tap();
  await visit.tasks("Buy bread").waitFor();
  await page.getByRole("checkbox", { name: "Complete: Buy bread" }).tap();
  await page.getByText("Nothing is open.").waitFor();
  await tabs.getByRole("link", { name: "Settings" }).tap();
  await page.getByRole("heading", { name: "Approvals" }).waitFor();
  await tabs.getByRole("link", { name: "Chat" }).tap();
  await page.getByText("What is on your mind?").waitFor();
  await page.getByRole("button", { name: "Conversations" }).tap();
  await page.locator(".conversation", { hasText: "Buy bread" }).getByRole("link").tap();
  await page.getByRole("heading", { name: "Buy bread" }).waitFor();
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(widths[0] <= widths[1], `the page scrolls sideways: ${widths}`);
});

test("on a phone, the focus moves into the conversations and back", async () => {
  const page = await open({ viewport: phone });
  const opener = page.getByRole("button", { name: "Conversations", exact: true });
  await opener.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Navigation and conversations" });
  await drawer.getByRole("button", { name: "Close" }).and(page.locator(":focus")).waitFor();
  // Nothing behind it has the focus in between.
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest(".side, .toasts") !== null));
  }
  await page.keyboard.press("Escape");
  await opener.and(page.locator(":focus")).waitFor();
  assert.equal(await page.locator("[inert]").count(), 0);
});

test("on a phone, a label is shown whole beside due date and priority", async () => {
  const page = await open({ viewport: phone });
  await visit.route("#/tasks");
  await visit.add("Call Ann tomorrow 5pm #family #garden #music !!");
  const row = visit.tasks("Call Ann");
  const fits = await row.locator(".task-label:visible").evaluateAll((labels) =>
    labels.map((l) => l.scrollWidth <= l.clientWidth && l.getBoundingClientRect().right <= l.parentElement.getBoundingClientRect().right));
  assert.deepEqual(fits, [true]);
  await row.getByText("+2").waitFor();
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.equal(await row.locator(".task-label:visible").count(), 3);
});

test("the chosen theme is applied before the page's code runs", async () => {
  const page = await open({ colorScheme: "light" });
  await visit.route("#/settings");
  await page.getByLabel("Theme").selectOption("dark");
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await background();
  const held = [];
  // The service worker would answer before the route.
  await page.evaluate(async () => (await navigator.serviceWorker.ready).unregister());
  await page.route(/assets\/index-.*\.js/, (route) => held.push(route));
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector("#root") && document.styleSheets.length > 0);
  assert.equal(await page.locator("#root > *").count(), 0);
  assert.equal(await background(), dark);
  for (const route of held) await route.continue();
  await page.getByRole("heading", { name: "Appearance" }).waitFor();
});

test("the settings have what each assistant needs to connect", async () => {
  const page = await open();
  await visit.route("#/settings/assistants");
  const section = page.locator("section").filter({ has: page.getByRole("heading", { name: "Connect assistants" }) });
  const block = section.locator("pre");
  const assistants = await section.getByLabel("Assistant").locator("option").allTextContents();
  assert.deepEqual(assistants, ["Claude Code", "Claude Desktop", "Codex", "Cursor", "Gemini CLI", "VS Code"]);
  for (const name of assistants) {
    await section.getByLabel("Assistant").selectOption(name);
    const text = async () => (await block.textContent()) ?? "";
    assert.ok((await text()).includes(`${server.url}/mcp`), name);
    assert.ok(!/Bearer|TOKEN/.test(await text()), name);
    await section.getByLabel("Token (optional)").fill("secret-token");
    assert.ok((await text()).includes("secret-token"), name);
    if (!["Claude Code", "Codex"].includes(name)) JSON.parse(await text());
    await section.getByLabel("Token (optional)").fill("");
  }
  assert.deepEqual(await page.evaluate(() => Object.values(localStorage).filter((v) => v.includes("secret-token"))), []);
});

test("everything is reached by keyboard", async () => {
  const page = await open();
  const { keyboard } = page;
  await keyboard.type("Add task Post the letter");
  await keyboard.press("Enter");
  await visit.reply("Post the letter");
  await keyboard.press("Tab");
  await keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await list.getByText("New conversation").waitFor();
  await keyboard.press("Escape");
  await list.waitFor({ state: "detached" });
  await keyboard.press("n");
  await page.getByText("What is on your mind?").waitFor();
  await keyboard.press("Tab");
  await keyboard.press("g");
  await page.getByRole("heading", { name: "Tasks", level: 1 }).waitFor();
  await keyboard.press("a");
  await page.getByRole("textbox", { name: "New task" }).and(page.locator(":focus")).waitFor();
  await keyboard.type("Wash the car");
  await keyboard.press("Enter");
  const check = page.getByRole("checkbox", { name: "Complete: Wash the car" });
  await check.waitFor();
  for (let i = 0; i < 40 && !(await check.and(page.locator(":focus")).count()); i++) await keyboard.press("Tab");
  await keyboard.press("Space");
  await check.waitFor({ state: "detached" });
  assert.equal(await visit.tasks("Post the letter").count(), 1);
});

test("the first visit to a development server needs no sign-in, and sign-out clears what the browser kept", async () => {
  const page = await open({ user: null });
  await visit.composer.fill("half a thought");
  await page.waitForFunction(() => localStorage.getItem("errand:user:draft:new"));
  const other = await visit.tab();
  await other.getByRole("textbox", { name: "Message", exact: true }).waitFor();
  await visit.route("#/settings");
  await page.getByRole("button", { name: "Sign out" }).click();
  for (const tab of [page, other]) await tab.getByText("Sign in to Errand").waitFor();
  const keys = await page.evaluate(() => Object.keys(localStorage));
  assert.deepEqual(keys.filter((key) => key.startsWith("errand:user:")), []);
  await page.reload();
  await page.getByLabel("Your name").fill("somebody");
  await page.keyboard.press("Enter");
  await visit.composer.waitFor();
  assert.equal(await visit.composer.inputValue(), "");
});

test("without the server, the page opens and shows the last tasks", async () => {
  const page = await open();
  await visit.add("Kept for later");
  await page.waitForFunction(() => localStorage.getItem("errand:user:last-tasks")?.includes("Kept for later"));
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  visit.expectOutage();
  await server.restart(async () => {
    await page.reload();
    await page.locator(".last-tasks").getByText("Kept for later").waitFor();
  });
  await visit.tasks("Kept for later").waitFor();
});

test("the page works below a path prefix", async () => {
  const proxy = await startPrefixProxy(server.url, "/errand");
  try {
    const page = await open({ url: proxy.url });
    await visit.say("Add task Buy stamps", "Buy stamps");
    await visit.tasks("Buy stamps").waitFor();
    await page.reload();
    await visit.reply("Buy stamps");
    const registered = await page.evaluate(() => navigator.serviceWorker.ready.then(({ scope }) => scope));
    assert.equal(registered, `${proxy.url}/`);
    await visit.close();
    visit = null;
  } finally {
    proxy.stop();
  }
});

/** A user whose views have something of everything. */
async function furnished() {
  const user = "furnished";
  const send = async (content, conversationId) => {
    const query = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { conversation { id } } }";
    const { sendMessage } = await graphql(server, user, query, { input: { content, conversationId } });
    return sendMessage.conversation.id;
  };
  await graphql(server, user, 'mutation { updateViewer(input: { timeZone: "Europe/Berlin" }) { viewer { id } } }');
  const chat = await send("Call Ann tomorrow at 5pm #family !! and call Bob on friday");
  const turns = ["Add task Tax return yesterday #finance !!!", "Pay rent today", "Move task 2 to saturday", "Complete call"];
  for (const text of [...turns, "What is due this week?", "Delete tasks 1 and 2"]) await send(text, chat);
  const replies = "query ($id: ID!) { conversation(id: $id) { messages(last: 20) { nodes { status } } } }";
  for (let open = true; open; ) {
    const { conversation } = await graphql(server, user, replies, { id: chat });
    open = conversation.messages.nodes.some(({ status }) => status !== "COMPLETED");
  }
  return { user, chat };
}

/** What axe finds in a tab. */
async function violations(page, name) {
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${name}: ${id}: ${node.target.join(" ")}: ${node.failureSummary.split("\n")[1]?.trim()}`),
  );
}

const sizes = [{ width: 1280, height: 800 }, { width: 820, height: 1180 }, phone];
let furniture;
for (const colorScheme of ["light", "dark"]) {
  for (const viewport of sizes) {
    test(`axe finds nothing in any view, ${colorScheme}, ${viewport.width} wide`, async () => {
      furniture ??= await furnished();
      const isPhone = viewport === phone;
      const page = await open({ user: furniture.user, viewport, colorScheme, reducedMotion: "reduce", hasTouch: isPhone, isMobile: isPhone });
      await page.evaluate(() => document.fonts.ready);
      await visit.context.addInitScript({ path: axe });
      await page.reload();
      const found = [];
      const check = async (name) => {
        await page.locator(".toast").waitFor({ state: "detached" });
        await visit.picture(`${name}-${viewport.width}-${colorScheme}`);
        found.push(...(await violations(page, name)));
      };
      await page.getByText("What is on your mind?").waitFor();
      await check("empty");
      await visit.route(`#/c/${furniture.chat}`);
      await page.locator(".proposal").waitFor();
      await check("chat");
      await visit.route("#/tasks");
      await visit.tasks("Pay rent").waitFor();
      await check("tasks");
      await page.getByRole("button", { name: "Select tasks" }).click();
      await page.getByRole("button", { name: "Select all" }).click();
      await page.getByRole("button", { name: "Search and filter" }).click();
      await check("selection");
      await page.getByRole("toolbar").getByRole("button", { name: "Close" }).click();
      await page.getByRole("button", { name: "Actions for Pay rent" }).click();
      await check("menu");
      await page.getByRole("menuitem", { name: "Details" }).click();
      await page.getByRole("dialog").waitFor();
      await check("details");
      await page.keyboard.press("Escape");
      await visit.route("#/tasks/trash");
      await page.getByText("The trash is empty.").waitFor();
      await check("trash");
      await visit.route("#/approvals");
      await page.locator(".proposal").waitFor();
      await check("approvals");
      await visit.route("#/settings");
      await page.getByRole("heading", { name: "Your data" }).waitFor();
      await page.getByRole("heading", { name: "Usage of the model" }).waitFor();
      await check("settings");
      await page.getByRole("button", { name: "Create a token" }).click();
      await page.getByRole("dialog").getByLabel("Name").fill("Assistant on my laptop");
      await check("token-dialog");
      await page.keyboard.press("Enter");
      await page.getByRole("group", { name: "Secret of" }).scrollIntoViewIfNeeded();
      await page.getByRole("listitem").getByText("Assistant on my laptop").first().waitFor();
      await check("token-secret");
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await check("shortcuts");
      await page.keyboard.press("Escape");
      if (isPhone) {
        await visit.route("");
        await page.getByRole("button", { name: "Conversations" }).click();
        await page.locator(".conversation").first().waitFor();
        await check("drawer");
        await page.keyboard.press("Escape");
        await page.locator(".drawer-open").waitFor({ state: "detached" });
      }
      await visit.route("#/settings");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("Sign in to Errand").waitFor();
      await check("sign-in");
      assert.deepEqual(found, []);
    });
  }
}
