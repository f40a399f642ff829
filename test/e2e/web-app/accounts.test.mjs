// Sign-in with built-in accounts. Screenshots are kept in .cache/e2e/page.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import { launch, Visit } from "./browser.mjs";
const { startAccounts } = await import(process.env.ACCOUNTS ?? "./accounts.mjs");

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const password = "correct horse battery";
const browser = await launch();
let server;
before(async () => (server = await startAccounts()));
after(async () => {
  await browser.close();
  await server.stop();
});

const visits = [];
afterEach(async () => {
  for (const visit of visits.splice(0)) await visit.close();
});

/** Opens the page in a browser of its own. */
async function open(route = "", options = {}) {
  const visit = await Visit.open(browser, `${server.url}/`, null, options);
  visits.push(visit);
  if (route) await visit.page.goto(visit.url + route);
  return visit;
}

async function signIn({ page, composer }, login, secret = password) {
  await page.getByLabel("User name").fill(login);
  await page.getByLabel("Password", { exact: true }).fill(secret);
  await page.getByLabel("Password", { exact: true }).press("Enter");
  await composer.waitFor();
}

/** Opens the page, signed in. */
async function signedIn(login, options) {
  const visit = await open("", options);
  await signIn(visit, login);
  return visit;
}

const section = (page, heading) => page.locator("section").filter({ has: page.getByRole("heading", { name: heading, exact: true }) });
const signInForm = (page) => page.getByText("Sign in to Errand");

/** A virtual authenticator of a browser, which confirms each request. */
async function authenticator({ context, page }) {
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  await devtools.send("WebAuthn.addVirtualAuthenticator", { options });
}

test("the link of the log sets the server up, once", async () => {
  const { page } = await open();
  await page.getByText("This server has no owner yet.").waitFor();
  assert.equal(await page.getByLabel("Password", { exact: true }).count(), 0);
  const visit = await open(new URL(server.setUpLink).hash);
  const { page: link } = visit;
  await link.getByRole("heading", { name: "Set up Errand" }).waitFor();
  const field = link.getByLabel("Password", { exact: true });
  await link.getByLabel("User name").fill("owner");
  await field.fill("short");
  await link.getByRole("button", { name: "Create the account" }).click();
  await link.getByText("The password has fewer than 8 characters.").waitFor();
  await field.fill("password");
  await field.press("Enter");
  await link.locator("#" + (await field.getAttribute("id")) + "-fault").filter({ hasText: /common/ }).waitFor();
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await field.fill(password);
  await field.press("Enter");
  await visit.composer.waitFor();
  assert.equal(new URL(link.url()).hash, "#/");
  await visit.say("Add task Buy bread", "Buy bread");
  await link.reload();
  await visit.tasks("Buy bread").waitFor();
  const kept = await link.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]));
  assert.doesNotMatch(kept, /eyJ|errand_refresh/, "neither the token nor the secret is within reach of scripts that come later");

  const late = await open(new URL(server.setUpLink).hash);
  await late.page.getByRole("alert").getByText("This link is not valid").waitFor();
  await late.page.getByRole("button", { name: "Go to the sign-in" }).click();
  await late.page.getByLabel("Password", { exact: true }).waitFor();
});

test("a user signs in by password, and sign-out clears all tabs", async () => {
  const visit = await signedIn("owner");
  const { page } = visit;
  await visit.composer.fill("half a thought");
  await page.waitForFunction(() => localStorage.getItem("errand:user:draft:new"));
  const other = await visit.tab();
  await other.getByRole("textbox", { name: "Message", exact: true }).waitFor();
  await page.waitForFunction(() => localStorage.getItem("errand:user:last-tasks"));
  await visit.route("#/settings");
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  for (const tab of [page, other]) await signInForm(tab).waitFor();
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("errand:user:"))), []);
  assert.deepEqual((await visit.context.cookies()).filter(({ name, value }) => name === "errand_refresh" && value), []);
  await page.reload();
  await signIn(visit, "owner");
  assert.equal(await visit.composer.inputValue(), "");
});

test("a rejected token is replaced, also in two tabs that open at the same time", async () => {
  const visit = await signedIn("owner", { serviceWorkers: "block" });
  const { page, context } = visit;
  let refusals = 0;
  await context.route("**/graphql", async (route) => {
    if (refusals++ > 0) return route.continue();
    await route.fulfill({ status: 200, json: { errors: [{ message: "Sign in again.", extensions: { code: "UNAUTHENTICATED" } }] } });
  });
  await visit.add("Kept");
  assert.ok(refusals > 1);
  await context.unroute("**/graphql");
  const tabs = await Promise.all([visit.tab(), visit.tab(), visit.tab()]);
  for (const tab of [page, ...tabs]) await tab.locator(".task-row", { hasText: "Kept" }).waitFor();
  await Promise.all(tabs.map((tab) => tab.reload()));
  for (const tab of tabs) await tab.locator(".task-row", { hasText: "Kept" }).waitFor();
});

test("a token that expires soon is replaced before the next request", async () => {
  const visit = await signedIn("owner");
  const { page } = visit;
  const refreshed = page.waitForRequest("**/auth/refresh");
  await page.clock.setSystemTime(Date.now() + 9.5 * 60_000);
  await visit.add("Made late");
  await refreshed;
  await visit.tasks("Made late").waitFor();
});

test("an owner invites a user, who sees nothing of the owner", async () => {
  const visit = await signedIn("owner", { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visit;
  await visit.route("#/settings/members");
  const members = section(page, "Users of this server");
  await members.getByRole("button", { name: "Invite someone" }).click();
  const box = members.getByRole("group", { name: "Invitation" });
  const url = await box.locator("pre").textContent();
  await box.getByRole("button", { name: "Copy the link" }).click();
  await box.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), url);

  const guest = await open(new URL(url).hash);
  await guest.page.getByRole("heading", { name: "Join Errand" }).waitFor();
  const name = guest.page.getByLabel("User name");
  await name.fill("owner");
  await guest.page.getByLabel("Password", { exact: true }).fill(password);
  await guest.page.getByRole("button", { name: "Create the account" }).click();
  await guest.page.locator("#" + (await name.getAttribute("id")) + "-fault").waitFor();
  await name.fill("guest");
  await guest.page.getByLabel("Your name").fill("Gitta Guest");
  await guest.page.getByRole("button", { name: "Create the account" }).click();
  await guest.composer.waitFor();
  await guest.page.getByText("Nothing is open.").waitFor();
  await guest.route("#/settings/security");
  await section(guest.page, "Sign-in").getByText("Member").waitFor();
  assert.equal(await section(guest.page, "Users of this server").count(), 0);

  await page.reload();
  await members.getByRole("listitem").filter({ hasText: "Gitta Guest" }).waitFor();
});

test("a link that is opened by a signed-in user replaces the user in all tabs", async () => {
  const visit = await signedIn("owner");
  const { page } = visit;
  await visit.add("Private to the owner");
  await visit.route("#/settings/members");
  await page.getByRole("button", { name: "Invite someone" }).click();
  const url = await page.getByRole("group", { name: "Invitation" }).locator("pre").textContent();
  const other = await visit.tab(new URL(url).hash);
  await other.getByLabel("User name").fill("second");
  await other.getByLabel("Password", { exact: true }).fill(password);
  await other.getByRole("button", { name: "Create the account" }).click();
  await other.getByRole("textbox", { name: "Message", exact: true }).waitFor();
  await other.getByText("Nothing is open.").waitFor();
  // The first tab has left the session of its user.
  await signInForm(page).or(visit.composer).first().waitFor();
  await page.goto(`${visit.url}#/tasks`);
  await page.reload();
  await page.getByText("Nothing is open.").waitFor();
  assert.equal(await page.getByText("Private to the owner").count(), 0);
  await other.getByText("Nothing is open.").waitFor();
});

test("a passkey is added, signs in and is removed", async () => {
  const visit = await signedIn("guest");
  const { page } = visit;
  await authenticator(visit);
  await visit.route("#/settings/security");
  const security = section(page, "Sign-in");
  await security.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name of the passkey").fill("My laptop");
  await dialog.getByRole("button", { name: "Add a passkey" }).click();
  const row = security.getByRole("listitem").filter({ hasText: "My laptop" });
  await row.getByText("Not used yet").waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await visit.composer.waitFor();
  await visit.route("#/settings/security");
  await row.getByText("Last used").waitFor();
  await row.getByRole("button", { name: "Remove: My laptop" }).click();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await page.getByRole("alert").waitFor();
});

test("a session is ended from another browser, and a new password ends the others", async () => {
  const phone = await signedIn("guest", { userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1" });
  const { page } = await signedIn("guest");
  await page.goto(`${server.url}/#/settings/security`);
  const security = section(page, "Sign-in");
  const row = security.getByRole("listitem").filter({ hasText: "Safari · iPhone" }).first();
  await row.getByRole("button", { name: "End the session" }).click();
  await signInForm(phone.page).waitFor();
  await phone.page.getByText("Your session has ended.").waitFor();
  await signIn(phone, "guest");

  await security.getByRole("button", { name: "Change the password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Current password").fill("not the password");
  await dialog.getByLabel("New password").fill("another horse battery");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("The current password is wrong.").waitFor();
  await dialog.getByLabel("Current password").fill(password);
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator(".toast").getByText("The password is changed.").waitFor();
  await signInForm(phone.page).waitFor();
  await signIn(phone, "guest", "another horse battery");

  await security.getByRole("button", { name: "Sign out everywhere" }).click();
  await dialog.getByRole("button", { name: "Sign out everywhere" }).click();
  for (const tab of [page, phone.page]) await signInForm(tab).waitFor();
});

test("a link of the operator sets a new password and ends the sessions", async () => {
  const before = await signedIn("second");
  const visit = await open(new URL(await server.link("user", "reset", "second")).hash);
  const { page } = visit;
  await page.getByRole("heading", { name: "New password" }).waitFor();
  const name = page.getByLabel("User name");
  assert.deepEqual([await name.inputValue(), await name.isEditable()], ["second", false]);
  await page.getByLabel("New password", { exact: true }).fill("a new password of the second");
  await page.getByRole("button", { name: "Set the password" }).click();
  await visit.composer.waitFor();
  await signInForm(before.page).waitFor();
});

test("a link of the operator for a new account has its name", async () => {
  const visit = await open(new URL(await server.link("user", "add", "third")).hash);
  const { page } = visit;
  await page.getByRole("heading", { name: "Join Errand" }).waitFor();
  const name = page.getByLabel("User name");
  assert.deepEqual([await name.inputValue(), await name.isEditable()], ["third", false]);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password", { exact: true }).press("Enter");
  await visit.composer.waitFor();
});

test("too many wrong passwords: the form says how long to wait", async () => {
  const { page } = await open();
  await page.getByLabel("User name").fill("second");
  const field = page.getByLabel("Password", { exact: true });
  const submit = page.getByRole("button", { name: "Sign in", exact: true });
  for (let i = 0; i < 10 && !(await page.getByRole("timer").count()); i++) {
    await field.fill(`wrong ${i}`);
    const answered = page.waitForResponse("**/auth/sign-in");
    await submit.click();
    await (await answered).finished();
    await page.getByRole("alert").waitFor();
    await page.getByText("User name or password is wrong.").or(page.getByRole("timer")).waitFor();
  }
  await page.getByRole("timer").getByText(/Try again in \d+ seconds?\./).waitFor();
  assert.equal(await submit.isDisabled(), true);
});

/** Returns the violations that axe finds in a tab. */
async function violations(page, name) {
  const { violations: found } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${name}: ${id}: ${node.target.join(" ")}`));
}

const sizes = [{ width: 1280, height: 800 }, { width: 820, height: 1180 }, { width: 390, height: 844 }];
for (const viewport of sizes) {
  for (const [colorScheme, locale] of [["light", "en-US"], ["dark", "de-DE"]]) {
    test(`axe finds nothing in the sign-in, ${colorScheme}, ${locale}, ${viewport.width} wide`, async () => {
      const visit = await open("", { viewport, colorScheme, locale, reducedMotion: "reduce" });
      const { page } = visit;
      await visit.context.addInitScript({ path: axe });
      await page.reload();
      const found = [];
      const check = async (name) => {
        await page.locator(".toast").waitFor({ state: "detached" });
        await visit.picture(`account-${name}-${viewport.width}-${colorScheme}`);
        found.push(...(await violations(page, name)));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) found.push(`${name}: the page is ${width} wide`);
      };
      await page.locator("input[name=login]").waitFor();
      await check("sign-in");
      await visit.route("#/join/no-such-link");
      await page.getByRole("alert").waitFor();
      await check("invalid");
      await visit.route("#/");
      await page.reload();
      await page.locator("input[name=login]").fill("owner");
      await page.locator("input[name=password]").fill(password);
      await page.keyboard.press("Enter");
      await page.locator(".composer").first().waitFor();
      await visit.route("#/settings/security");
      const security = page.locator("section", { has: page.locator("#settings-security") });
      await security.getByRole("listitem").first().waitFor();
      await check("security");
      await security.getByRole("button").first().click();
      await page.getByRole("dialog").waitFor();
      await check("password");
      await page.keyboard.press("Escape");
      await page.locator("#settings-members").scrollIntoViewIfNeeded();
      await page.locator("section", { has: page.locator("#settings-members") }).getByRole("button").last().click();
      const url = await page.locator(".secret pre").textContent();
      await check("members");
      await visit.route(new URL(url).hash);
      await page.locator("input[name=login]").fill("somebody");
      await page.locator("input[name=password]").fill("short");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await check("join");
      assert.deepEqual(found, []);
    });
  }
}
