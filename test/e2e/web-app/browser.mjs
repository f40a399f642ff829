// Opens the page in Chromium as a user of a development server, and collects what must not happen on it. CHROMIUM is
// the path of the browser (default: /usr/bin/chromium).
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const pictures = join(import.meta.dirname, "..", "..", "..", ".cache", "e2e", "page");

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

const desktop = { width: 1280, height: 800 };

/** A browser profile that is signed in as a development user, on the page at `url`, which ends with a slash. */
export class Visit {
  #faults = [];
  #outage = false;
  #others = [];

  static async open(browser, url, user, options = {}) {
    const entry = { name: "errand:user:development", value: JSON.stringify(user) };
    const context = await browser.newContext({
      viewport: desktop, locale: "en-US", timezoneId: "Europe/Berlin",
      storageState: { cookies: [], origins: [{ origin: new URL(url).origin, localStorage: user ? [entry] : [] }] },
      ...options,
    });
    context.setDefaultTimeout(20_000);
    const visit = new Visit(context, url, user);
    visit.page = await visit.tab();
    return visit;
  }

  constructor(context, url, user) {
    Object.assign(this, { context, url, user });
    const { origin, host } = new URL(url);
    context.on("request", (request) => {
      if (this.#others.some((other) => request.url().startsWith(`${other}/`))) return;
      if (!request.url().startsWith(`${origin}/`) && !/^(data|blob):/.test(request.url())) this.#add(`request to ${request.url()}`);
    });
    context.on("page", (page) =>
      page.on("websocket", (socket) => new URL(socket.url()).host === host || this.#add(`socket to ${socket.url()}`)),
    );
    context.on("weberror", (error) => this.#add(error.error().stack));
    context.on("console", (entry) => {
      if (entry.type() !== "error" && entry.type() !== "warning") return;
      // The browser reports every request that the sign-in refuses, such as that of a visitor without a session.
      if (/status of 4\d\d/.test(entry.text()) && new URL(entry.location().url).pathname.includes("/auth/")) return;
      if (entry.text() === "Service Worker registration blocked by Playwright") return; // serviceWorkers: "block"
      if (this.#outage && /net::ERR_|WebSocket connection to|status of 50[234]/.test(entry.text())) return;
      this.#add(`console: ${entry.text()}`);
    });
  }

  #add(fault) {
    this.#faults.push(fault);
  }

  /** Opens the page in one more tab. */
  async tab(route = "") {
    const page = await this.context.newPage();
    await page.goto(this.url + route);
    return page;
  }

  /** Requests to another origin are expected from now on. */
  allow(other) {
    this.#others.push(other);
  }

  /** Failed requests are expected from now on. */
  expectOutage() {
    this.#outage = true;
  }

  /** Closes the profile; rejects if there was an error, a violation of the policy or a request to another origin. */
  async close() {
    await this.context.close();
    assert.deepEqual(this.#faults, []);
  }

  get composer() {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  /** Bubbles of the user with a text. */
  bubbles(text) {
    return this.page.locator(".bubble").getByText(text, { exact: true });
  }

  get replies() {
    return this.page.locator(".from-agent");
  }

  /** The last reply, once it is finished. */
  async reply(text) {
    const last = this.page.locator(".message").last();
    await last.and(this.page.locator('.from-agent[data-status="COMPLETED"]')).filter({ hasText: text }).waitFor();
    return last;
  }

  /** Sends a message by keyboard. */
  async send(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
    await this.bubbles(text).last().waitFor();
  }

  /** Sends a message and returns its finished reply, which must contain `answer`. */
  async say(text, answer = "") {
    await this.send(text);
    return this.reply(answer);
  }

  /** Rows of the tasks whose titles contain a text. */
  tasks(title) {
    return this.page.locator(".task-row").filter({ has: this.page.locator(".task-title", { hasText: title }) });
  }

  /** Adds tasks by quick add. */
  async add(...tasks) {
    const field = this.page.getByRole("textbox", { name: "New task" });
    for (const task of tasks) {
      await field.fill(task);
      await field.press("Enter");
      await this.page.waitForFunction((input) => input.value === "", await field.elementHandle());
    }
    await this.page.locator(".task-row.unsaved").waitFor({ state: "detached" });
  }

  async route(route) {
    await this.page.goto(this.url + route);
  }

  toast(text) {
    return this.page.locator(".toast").filter({ hasText: text });
  }

  /** Writes a screenshot to .cache/e2e/page. */
  async picture(name) {
    mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: join(pictures, `${name}.png`) });
  }
}

/** Runs an operation as a user; rejects with its errors. */
export async function graphql(server, user, query, variables) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await server.signIn(user)}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}
