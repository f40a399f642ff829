// What every front end must do, whatever it is made of: stream a reply, and miss nothing while its server restarts or
// is killed, and while it is away itself.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { serveApp } from "./app.mjs";
import { startLink } from "../link.mjs";
import { watch } from "./watch.mjs";

const sentences = {
  first: "Add a task to buy milk", second: "Add a task to water the plants", third: "Complete task 1",
  fourth: "Add a task to call Bob", fifth: "Add a task to fix the bicycle", list: "What is on my list?",
};

/**
 * Runs the scenario. app is the folder of a built application, page describes its page: {input, messages, tasks, counts}
 * are selectors; a task's text contains its title, and its list has one element per task. serve starts the page's server.
 */
export async function missesNothing({ browser, server, app, page: parts, serve = serveApp }) {
  const link = await startLink(server);
  const served = await serve(app);
  // The documents name the server's default address, which may be in use on this machine.
  const instance = await browser([`--host-resolver-rules=MAP localhost:8080 127.0.0.1:${link.port}`]);
  const page = await instance.newPage();
  const problems = watch(page);
  try {
    const user = await signedIn(server);
    await user.task("there from the start");
    await page.goto(served.url);
    await converges(page, parts, user, 0);

    // The server is killed before the page has received any event.
    link.cut();
    await server.killAndRestart();
    await user.task("made before the first event");
    link.mend();
    await converges(page, parts, user, 0);

    await say(page, parts, sentences.first);
    await converges(page, parts, user, 1);

    // The stream is open by now: no part of this reply is written before the page follows it.
    const lengths = await record(page, parts.messages);
    await say(page, parts, sentences.list);
    await converges(page, parts, user, 2);
    assert.ok((await lengths()).length > 3, "the reply grew before it was complete");

    // The server restarts while the page is connected; turns and tasks follow before the page is back.
    link.refuse();
    await server.restart();
    await user.task("made after a restart");
    await user.turn(sentences.second);
    link.mend();
    await converges(page, parts, user, 3);

    // The server is killed in the middle of a reply.
    await say(page, parts, sentences.third);
    link.cut();
    await server.killAndRestart();
    await user.task("made after a crash");
    await user.turn(sentences.fourth);
    link.mend();
    await converges(page, parts, user, 5);

    // Both again, with the page connected until the end.
    await server.restart();
    await server.killAndRestart();
    await user.task("made at the end");
    await say(page, parts, sentences.fifth);
    await converges(page, parts, user, 6);
    assert.deepEqual(problems(), []);
  } catch (error) {
    error.message += `\nThe page:\n${await page.locator("body").innerText().catch(String)}\n${problems().join("\n")}`;
    throw error;
  } finally {
    await instance.close();
    await served.close();
    link.close();
  }
}

/** Sends a message. Resolves when the page has the response: not every client repeats a request that was cut off. */
async function say(page, { input }, text) {
  const response = page.waitForResponse((r) => r.request().postData()?.includes("sendMessage"), { timeout: 30_000 });
  await page.locator(input).fill(text);
  await page.locator(input).press("Enter");
  await (await response).finished();
}

/** Waits until the page shows exactly what the server has stored, with this number of finished turns. */
async function converges(page, { messages, tasks, counts }, user, turns) {
  const end = Date.now() + 30_000;
  for (;;) {
    const stored = await user.stored();
    const shown = {
      messages: await page.locator(messages).allInnerTexts(),
      tasks: tasks === undefined ? undefined : await page.locator(tasks).allInnerTexts(),
      counts: counts === undefined ? undefined : await page.locator(counts).innerText(),
    };
    const fault = difference(stored, shown, turns);
    if (fault === "") return;
    if (Date.now() > end) assert.fail(`${fault}\nstored: ${JSON.stringify(stored)}\nshown: ${JSON.stringify(shown)}`);
    await pause(100);
  }
}

/** A page shows line breaks of a message as spaces. */
const onLine = (text) => text.replaceAll(/\s+/g, " ");

function difference(stored, shown, turns) {
  const replies = stored.messages.filter((m) => m.role === "ASSISTANT" && m.status === "COMPLETED");
  if (replies.length !== turns) return `${replies.length} of ${turns} replies are stored`;
  if (shown.messages.length !== stored.messages.length) return "another number of messages is shown";
  for (const [i, { content }] of stored.messages.entries()) {
    if (!onLine(shown.messages[i]).includes(onLine(content))) return `message ${i + 1} is shown differently`;
  }
  const pending = stored.tasks.filter(({ completed }) => !completed).length;
  if (shown.counts?.startsWith(`${pending} open,`) === false) return "another number of open tasks is shown";
  if (shown.tasks === undefined) return "";
  if (shown.tasks.length !== stored.tasks.length) return "another number of tasks is shown";
  for (const { title, completed } of stored.tasks) {
    const row = shown.tasks.find((text) => text.includes(title));
    if (row === undefined) return `the task ${title} is not shown`;
    if (row.includes("✓") !== completed) return `the task ${title} has another state`;
  }
  return "";
}

/** Returns the page's own user, alice, through requests that bypass the link. */
async function signedIn(server) {
  const token = await server.signIn("alice");
  async function request(query, variables) {
    const response = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  }
  const stored = async () => {
    const { conversations, tasks } = await request(`{
      conversations(first: 1) { nodes { id messages(first: 100) { nodes { role content status } } } }
      tasks(first: 100) { nodes { title completed } }
    }`);
    const [conversation] = conversations.nodes;
    return { id: conversation?.id, messages: conversation?.messages.nodes ?? [], tasks: tasks.nodes };
  };
  return {
    stored,
    task: (title) => request("mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }", { input: { title } }),
    async turn(content) {
      const { id } = await stored();
      await request("mutation($input: SendMessageInput!) { sendMessage(input: $input) { conversation { id } } }",
        { input: { conversationId: id, content } });
      const end = Date.now() + 30_000;
      while ((await stored()).messages.some(({ status }) => status === "PENDING" || status === "STREAMING")) {
        assert.ok(Date.now() < end, "the reply did not finish");
        await pause(50);
      }
    },
  };
}

/** Records the lengths that the last message has in the course of time. */
async function record(page, messages) {
  await page.evaluate((selector) => {
    window.lengths = new Set();
    const note = () => window.lengths.add([...document.querySelectorAll(selector)].at(-1)?.innerText.length);
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
  }, messages);
  return () => page.evaluate(() => [...window.lengths]);
}
