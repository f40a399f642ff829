// What users do on the page, on both engines. ENGINES=sqlite leaves PostgreSQL out.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startPostgres } from "../frontend/postgres.mjs";
import { startServer } from "../server.mjs";
import { graphql, launch, Visit } from "./browser.mjs";

const browser = await launch();
after(() => browser.close());

/** A question with a long answer, which streams for some seconds. */
const LONG = "What can you do?";
// Replies of a killed server continue when their lease ends.
const settings = { RULES_PACE: "20ms", RUN_LEASE: "2s", RUN_SWEEP: "200ms" };

let server, visit;
let users = 0;

/** Opens the page as a new user. */
async function open(options) {
  visit = await Visit.open(browser, `${server.url}/`, `user-${++users}`, options);
  await visit.composer.waitFor();
  return visit.page;
}

/** What a conversation has stored. */
const stored = async () => {
  const query = "{ conversations(first: 5) { nodes { messages(first: 50) { nodes { role content status } } } } }";
  const { conversations } = await graphql(server, visit.user, query);
  return conversations.nodes.map((c) => c.messages.nodes);
};

const text = (locator) => locator.evaluate((row) => row.querySelector(".segment")?.textContent ?? "");

/** Waits until a reply shows a beginning of its text. */
const streaming = (page) =>
  page.waitForFunction(() => {
    const [reply] = document.querySelectorAll('.from-agent[data-status="STREAMING"]');
    return (reply?.querySelector(".segment")?.textContent.length ?? 0) > 20;
  });

/** Scenarios that depend on the store and on the server's process. */
function everyday() {
  test("a tapped example adds a task, and its reply streams", async () => {
    const page = await open();
    await page.getByText("What is on your mind?").waitFor();
    assert.equal(await page.locator(".examples button").count(), 4);
    await page.getByRole("button", { name: "Buy milk tomorrow at 5pm" }).click();
    await visit.tasks("Buy milk").waitFor();
    await visit.reply("Buy milk");
    assert.equal(await visit.bubbles("Buy milk tomorrow at 5pm").count(), 1);
    await visit.tasks("Buy milk").getByText("Tomorrow, 5:00").waitFor();
  });

  test("the everyday commands, by talking", async () => {
    const page = await open();
    const titles = () => page.locator(".task-title").allTextContents();
    // Add.
    await visit.say("Add task Buy milk tomorrow at 5pm", "Buy milk");
    await visit.tasks("Buy milk").getByText("Tomorrow, 5:00").waitFor();
    // Several at once.
    const several = await visit.say("Call Ann on friday #family and pay the rent !! and water the plants", "Call Ann");
    assert.equal(await several.locator(".change.kind-created").count(), 3);
    await visit.tasks("Call Ann").locator(".task-label", { hasText: "family" }).waitFor();
    await visit.tasks(/pay the rent/i).locator(".task-priority").waitFor();
    await visit.tasks(/water the plants/i).waitFor();
    // List: a reply without changes.
    const list = await visit.say("What is on my list?", "Call Ann");
    assert.equal(await list.locator(".change").count(), 0);
    // Complete.
    await visit.say("I bought the milk");
    await visit.tasks("Buy milk").waitFor({ state: "detached" });
    // Update: the card shows the value before and after.
    const update = await visit.say("Move call Ann to next monday");
    await update.locator(".change.kind-updated .fields del").waitFor();
    assert.notEqual(await update.locator(".fields del").textContent(), await update.locator(".fields ins").textContent());
    // Delete.
    await visit.say("Delete the plants task");
    await visit.tasks(/water the plants/i).waitFor({ state: "detached" });
    // Undo.
    await visit.say("Undo that");
    await visit.tasks(/water the plants/i).waitFor();
    // Question.
    const answer = await visit.say("When is call Ann due?", "Call Ann");
    assert.equal(await answer.locator(".change").count(), 0);
    assert.equal((await titles()).length, 3);
  });

  test("a reload in mid-stream keeps the text of the reply without gaps and once", async () => {
    const page = await open();
    const whole = await text(await visit.say(LONG));
    await page.getByRole("link", { name: "New conversation" }).click();
    await page.getByText("What is on your mind?").waitFor();
    await visit.send(LONG);
    await streaming(page);
    await page.reload();
    await page.locator('.from-agent[data-status="STREAMING"]').waitFor();
    assert.equal(await text(await visit.reply()), whole);
    assert.equal(await visit.bubbles(LONG).count(), 1);
    assert.equal(await visit.replies.count(), 1);
  });

  test("two tabs show the same words and the same changes", async () => {
    const page = await open();
    await visit.say("Add task Water the plants");
    const route = new URL(page.url()).hash;
    const other = await visit.tab(route);
    await other.locator(".bubble").first().waitFor();
    await visit.send(LONG);
    await other.locator('.from-agent[data-status="STREAMING"]').waitFor();
    const here = await text(await visit.reply());
    const there = other.locator(".from-agent").nth(1);
    await there.and(other.locator('[data-status="COMPLETED"]')).waitFor();
    assert.equal(await text(there), here);
    await visit.say("Add task Feed the cat");
    await other.locator(".task-row.lit", { hasText: "Feed the cat" }).waitFor();
    await page.getByRole("checkbox", { name: "Complete: Water the plants" }).click();
    await other.locator(".task-row", { hasText: "Water the plants" }).waitFor({ state: "detached" });
  });

  test("a reply is completed after the server was killed in the middle of it", async () => {
    const page = await open();
    const whole = await text(await visit.say(LONG));
    await visit.send(LONG);
    await streaming(page);
    visit.expectOutage();
    await server.killAndRestart();
    await page.waitForFunction(() => document.querySelectorAll('.from-agent[data-status="COMPLETED"]').length === 2, null, { timeout: 30_000 });
    assert.equal(await text(visit.replies.nth(1)), whole);
    assert.equal(await visit.bubbles(LONG).count(), 2);
  });

  test("several deletions wait for an approval: by button, and by typing yes", async () => {
    const page = await open();
    await visit.add("One", "Two", "Three", "Four");
    await visit.send("Delete tasks 1 and 2");
    const question = page.locator(".proposal");
    await question.getByText("May I make these 2 changes?").waitFor();
    await page.getByRole("link", { name: "Approvals" }).first().getByText("1", { exact: true }).waitFor();
    await question.getByRole("button", { name: "Approve" }).click();
    await visit.tasks("One").waitFor({ state: "detached" });
    await visit.tasks("Two").waitFor({ state: "detached" });
    await question.waitFor({ state: "detached" });
    await visit.reply();
    await visit.send("Delete tasks 3 and 4");
    await question.waitFor();
    await visit.say("yes");
    await visit.tasks("Three").waitFor({ state: "detached" });
    await visit.tasks("Four").waitFor({ state: "detached" });
    await question.waitFor({ state: "detached" });
  });

  test("one change and a whole turn are undone, and made again", async () => {
    const page = await open();
    const reply = await visit.say("Add task Paint the door and add task Clean the car");
    await visit.tasks("Clean the car").waitFor();
    await reply.getByRole("button", { name: "Undo: Paint the door" }).click();
    await visit.tasks("Paint the door").waitFor({ state: "detached" });
    assert.equal(await visit.tasks("Clean the car").count(), 1);
    await visit.toast("1 change undone").getByRole("button", { name: "Redo" }).click();
    await visit.tasks("Paint the door").waitFor();
    await reply.getByRole("button", { name: "Undo all" }).click();
    await visit.tasks("Paint the door").waitFor({ state: "detached" });
    await visit.tasks("Clean the car").waitFor({ state: "detached" });
    assert.equal(await page.locator(".change.undone").count(), 2);
  });

  test("many tasks are completed at once, and come back at once", async () => {
    const page = await open();
    await visit.add("Alpha", "Beta", "Gamma");
    await visit.route("#/tasks");
    await visit.tasks("Gamma").waitFor();
    await page.getByRole("button", { name: "Select tasks" }).click();
    await page.getByRole("button", { name: "Select all" }).click();
    await page.getByText("3 tasks selected").waitFor();
    await page.getByRole("toolbar").getByRole("button", { name: "Complete" }).click();
    await page.getByText("Nothing is open.").waitFor();
    await visit.toast("3 tasks changed").getByRole("button", { name: "Undo" }).click();
    await page.locator(".task-row").nth(2).waitFor();
  });
}

/** Scenarios of the browser. */
function further() {
  test("a message that was written offline is sent once when the network is back", async () => {
    const page = await open();
    await visit.say("Hello");
    visit.expectOutage();
    await visit.context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await visit.send("Add task Written offline");
    await page.getByText("Waits for the connection").waitFor();
    await visit.context.setOffline(false);
    await visit.reply("Written offline");
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    assert.equal(await visit.bubbles("Add task Written offline").count(), 1);
    await visit.tasks("Written offline").waitFor();
    const [messages] = await stored();
    assert.equal(messages.filter((m) => m.content === "Add task Written offline").length, 1);
  });

  test("a candidate that is tapped answers which task is meant", async () => {
    const page = await open();
    await visit.add("Call Ann", "Call Bob");
    await visit.send("Complete call");
    const choice = page.locator(".choice");
    await choice.getByRole("button", { name: "Call Bob" }).click();
    await visit.tasks("Call Bob").waitFor({ state: "detached" });
    assert.equal(await visit.tasks("Call Ann").count(), 1);
    await choice.waitFor({ state: "detached" });
    await visit.reply("Call Bob");
    await page.reload();
    await visit.reply("Call Bob");
    await visit.replies.first().locator(".call-details summary").getByText("Asked which task was meant").waitFor();
  });

  test("a message waits for the connection while the server is down, and is sent once", async () => {
    const page = await open();
    await visit.say("Hello");
    visit.expectOutage();
    await server.restart(async () => {
      await page.locator('.connection[data-state="lost"]').waitFor();
      await visit.send("Add task Written to nobody");
      await page.getByText("Waits for the connection").waitFor();
      assert.equal(await page.getByText("Sending…").count(), 0);
      assert.equal(await page.getByText("Not sent.").count(), 0);
    });
    await visit.reply("Written to nobody");
    assert.equal(await visit.bubbles("Add task Written to nobody").count(), 1);
    await page.getByText("Waits for the connection").waitFor({ state: "detached" });
  });

  test("the first words of a new user are read in the time zone of the browser", async () => {
    const user = `user-${++users}`;
    visit = await Visit.open(browser, `${server.url}/`, user, { timezoneId: "Pacific/Auckland" });
    await visit.composer.waitFor();
    const { viewer } = await graphql(server, user, "{ viewer { timeZone } }");
    assert.equal(viewer.timeZone, "Pacific/Auckland");
    await visit.toast("Dates are shown in the time zone Pacific/Auckland").waitFor();
    await visit.add("Call Ann tomorrow 5pm");
    await visit.tasks("Call Ann").getByText("Tomorrow, 5:00").waitFor();
  });

  test("new text of a reply changes one row", async () => {
    const page = await open();
    await visit.say("Add task Water the plants");
    await visit.send(LONG);
    await streaming(page);
    const changed = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const rows = new Set();
          let changes = 0;
          const observer = new MutationObserver((list) => {
            for (const { target } of list) {
              const row = (target instanceof Element ? target : target.parentElement).closest(".message");
              if (row) rows.add(row.dataset.position);
            }
            if (++changes < 10) return;
            observer.disconnect();
            resolve([...rows]);
          });
          const list = document.querySelector(".messages-list");
          observer.observe(list, { subtree: true, childList: true, characterData: true, attributes: true });
        }),
    );
    assert.deepEqual(changed, ["4"]);
    await visit.reply();
  });

  test("quick add shows what it recognizes, and leaves out what is removed", async () => {
    const page = await open();
    const field = page.getByRole("textbox", { name: "New task" });
    await field.fill("Call Ann tomorrow 5pm #family !!");
    const chips = page.getByRole("list", { name: "Recognized in the text" });
    await chips.getByRole("listitem").nth(2).waitFor();
    await chips.getByRole("button", { name: "Keep “#family” in the title" }).click();
    await field.press("Enter");
    const task = visit.tasks("Call Ann #family");
    await task.getByText("Tomorrow, 5:00").waitFor();
    await task.locator(".task-priority").waitFor();
    assert.equal(await task.locator(".task-label").count(), 0);
  });

  test("completed tasks come back by the toast", async () => {
    const page = await open();
    await visit.add("Sweep the yard");
    await page.getByRole("checkbox", { name: "Complete: Sweep the yard" }).click();
    await visit.tasks("Sweep the yard").waitFor({ state: "detached" });
    await visit.toast("is completed").getByRole("button", { name: "Undo" }).click();
    await visit.tasks("Sweep the yard").waitFor();
  });

  test("the dialog sets a due date in words", async () => {
    const page = await open();
    await visit.add("Renew the passport");
    await page.getByRole("button", { name: "Actions for Renew the passport" }).click();
    await page.getByRole("menuitem", { name: "Details" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "In words" }).fill("in two weeks at 9am");
    await dialog.locator(".due-now").filter({ hasText: "9:00" }).waitFor();
    await dialog.getByRole("button", { name: "Save" }).click();
    await visit.tasks("Renew the passport").locator(".task-due").filter({ hasText: "9:00" }).waitFor();
  });

  test("a deleted task is in the trash and comes back from there", async () => {
    const page = await open();
    await visit.add("Sell the bike");
    await page.getByRole("button", { name: "Actions for Sell the bike" }).click();
    await page.getByRole("menuitem", { name: "Move to the trash" }).click();
    await visit.tasks("Sell the bike").waitFor({ state: "detached" });
    await visit.route("#/tasks/trash");
    await page.getByRole("button", { name: "Restore: Sell the bike" }).click();
    await page.getByText("The trash is empty.").waitFor();
    await visit.route("#/tasks");
    await visit.tasks("Sell the bike").waitFor();
  });
}

for (const engine of (process.env.ENGINES ?? "sqlite postgres").split(" ")) {
  describe(engine, () => {
    let postgres;
    before(async () => {
      if (engine === "postgres") postgres = await startPostgres(["page"]);
      const database = postgres && { DATABASE_URL: postgres.urls[0], MIGRATE: "true" };
      server = await startServer({ ...settings, ...database }).catch(async (error) => {
        await postgres?.stop();
        throw error;
      });
    });
    after(async () => {
      await server.stop();
      await postgres?.stop();
    });
    afterEach(async ({ name }) => {
      if (process.env.KEEP_PICTURES) await visit.picture(name.slice(0, 60).replaceAll("/", "-"));
      await visit.close();
    });
    everyday();
    if (engine === "sqlite") further();
  });
}
