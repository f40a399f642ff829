// The page in German, and from right to left. Screenshots are kept in .cache/e2e/page.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { launch, Visit } from "./browser.mjs";

const server = await startServer({ RULES_PACE: "1ms" });
const browser = await launch();
after(async () => {
  await browser.close();
  await server.stop();
});

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const sizes = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];

let visit;
afterEach(async () => {
  await visit?.close();
  visit = null;
});

const german = "Füge die Aufgabe Milch kaufen hinzu";

/** Elements that are wider than the window, and texts that a box cuts off without an ellipsis. */
const overflowing = (page) =>
  page.evaluate(() => {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const element of document.querySelectorAll("button, a, h1, h2, label, summary, .chip, .badge, option")) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || getComputedStyle(element).visibility === "hidden" || element.closest(".task-tabs, .visually-hidden, .skip")) continue;
      if (box.left < -1 || box.right > innerWidth + 1) found.push(`${element.className || element.tagName}: ${element.textContent}`);
      const { overflow, textOverflow } = getComputedStyle(element);
      if (overflow === "hidden" && textOverflow !== "ellipsis" && element.scrollWidth > element.clientWidth + 1) found.push(`cut: ${element.textContent}`);
    }
    return found;
  });

/** What axe finds in a tab. */
async function violations(page) {
  const { violations: found } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`));
}

for (const viewport of sizes) {
  test(`the page is in German for a German browser, ${viewport.width} wide`, async () => {
    visit = await Visit.open(browser, `${server.url}/`, `german-${viewport.width}`, { viewport, locale: "de-DE", reducedMotion: "reduce" });
    const { page } = visit;
    await visit.context.addInitScript({ path: axe });
    await page.reload();
    const composer = page.getByRole("textbox", { name: "Nachricht", exact: true });
    await page.getByText("Was steht an?").or(page.locator(".empty-chat h2")).first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    const faults = [];
    const check = async (name) => {
      await page.locator(".toast").waitFor({ state: "detached" });
      await visit.picture(`german-${name}-${viewport.width}`);
      faults.push(...(await overflowing(page)).map((f) => `${name}: ${f}`), ...(await violations(page)).map((f) => `${name}: ${f}`));
    };
    await check("empty");
    await composer.fill(german);
    await composer.press("Enter");
    await visit.reply("Milch");
    await check("chat");
    await visit.route("#/tasks");
    await visit.tasks("Milch kaufen").waitFor();
    await check("tasks");
    await page.locator(".view-actions button").last().click();
    await page.getByRole("toolbar").waitFor();
    await check("selection");
    await visit.route("#/settings");
    await page.getByRole("heading", { name: "Freigaben" }).or(page.locator("#settings-usage")).first().waitFor();
    await page.locator("#settings-usage").waitFor();
    await check("settings");
    await visit.route("#/approvals");
    await page.locator(".empty").waitFor();
    await check("approvals");
    assert.deepEqual(faults, []);
  });

  test(`the page works from right to left, ${viewport.width} wide`, async () => {
    visit = await Visit.open(browser, `${server.url}/`, `rtl-${viewport.width}`, { viewport, reducedMotion: "reduce" });
    const { page } = visit;
    // No catalogue is written from right to left yet: the direction is that of the document, as such a catalogue sets it.
    const turn = () => page.evaluate(() => (document.documentElement.dir = "rtl"));
    await visit.context.addInitScript({ path: axe });
    await page.reload();
    await visit.composer.waitFor();
    await turn();
    const faults = [];
    const check = async (name) => {
      await page.locator(".toast").waitFor({ state: "detached" });
      await visit.picture(`rtl-${name}-${viewport.width}`);
      faults.push(...(await overflowing(page)).map((f) => `${name}: ${f}`), ...(await violations(page)).map((f) => `${name}: ${f}`));
    };
    await visit.say("Add task לקנות חלב tomorrow 5pm #בית !!", "לקנות חלב");
    await check("chat");
    // The own message is at the end of the line, which is the left.
    const [bubble, list] = await Promise.all([".bubble", ".messages-list"].map((s) => page.locator(s).first().boundingBox()));
    assert.ok(Math.abs(bubble.x - list.x) < 40, `the bubble is at ${bubble.x}, the list at ${list.x}`);
    await visit.route("#/tasks");
    const row = visit.tasks("לקנות חלב");
    await row.waitFor();
    const [check1, menu] = await Promise.all([".task-check", ".menu-anchor"].map((s) => row.locator(s).boundingBox()));
    assert.ok(check1.x > menu.x, "the circle is at the right");
    await check("tasks");
    await row.locator(".menu-anchor button").click();
    await page.getByRole("menu").waitFor();
    await check("menu");
    await page.keyboard.press("Escape");
    await visit.route("#/settings");
    await page.locator("#settings-usage").waitFor();
    await check("settings");
    if (viewport.width < 800) {
      await page.getByRole("button", { name: "Conversations", exact: true }).click();
      const side = page.locator(".side");
      await page.locator(".drawer-open").waitFor();
      await page.waitForFunction(() => document.querySelector(".side").getBoundingClientRect().right >= innerWidth);
      assert.ok((await side.boundingBox()).x > 0, "the conversations come from the right");
      await check("drawer");
    }
    assert.deepEqual(faults, []);
  });
}
