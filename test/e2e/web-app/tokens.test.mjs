// API tokens in the settings. Screenshots are kept in .cache/e2e/page.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { launch, Visit } from "./browser.mjs";

const server = await startServer({ RULES_PACE: "1ms" });
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

/** Opens the settings as a new user, and returns the section of the API tokens. */
async function open(user, options) {
  visit = await Visit.open(browser, `${server.url}/`, user, options);
  await visit.composer.waitFor();
  await visit.route("#/settings/tokens");
  return visit.page.locator("section").filter({ has: visit.page.getByRole("heading", { name: "API tokens" }) });
}

/** The status and the errors of a request with a token. */
async function ask(secret, query) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({ query }),
  });
  const { errors = [] } = await response.json();
  return { status: response.status, codes: errors.map((e) => e.extensions.code) };
}

test("a token is created with scopes, shown once, used by an assistant and revoked", async () => {
  const section = await open("token-user", { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = visit;
  await section.getByText("You have no tokens.").waitFor();
  await section.getByRole("button", { name: "Create a token" }).click();
  const dialog = page.getByRole("dialog");
  const submit = dialog.getByRole("button", { name: "Create a token" });
  assert.equal(await submit.isDisabled(), true);
  await dialog.getByLabel("Name").fill("My assistant");
  await dialog.getByLabel("Change tasks").uncheck();
  await dialog.getByLabel("Valid for").selectOption("Without an end");
  await submit.click();
  await dialog.waitFor({ state: "detached" });

  const box = section.getByRole("group", { name: "Secret of “My assistant”" });
  const secret = await box.locator("pre").textContent();
  assert.match(secret, /^errand_\w{40}$/);
  await box.getByRole("button", { name: "Copy the secret" }).click();
  await box.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await page.locator("#settings-assistants ~ .block pre").getByText(secret).waitFor();
  const row = section.getByRole("listitem").filter({ hasText: "My assistant" });
  for (const text of ["Active", "Read tasks", "Does not expire", "Not used yet"]) await row.getByText(text).waitFor();
  assert.equal(await row.getByText("Change tasks").count(), 0);

  assert.deepEqual(await ask(secret, "{ tasks(first: 1) { nodes { id } } }"), { status: 200, codes: [] });
  assert.deepEqual((await ask(secret, "mutation { createTask(input: { title: \"x\" }) { task { id } } }")).codes, ["FORBIDDEN"]);

  await page.reload();
  await row.getByText("Last used").waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
  assert.deepEqual(await page.evaluate((s) => Object.values(localStorage).filter((v) => v.includes(s)), secret), []);

  await row.getByRole("button", { name: "Revoke: My assistant" }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await ask(secret, "{ tasks(first: 1) { nodes { id } } }")).status, 200);
  await row.getByRole("button", { name: "Revoke: My assistant" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await row.getByText("Revoked", { exact: true }).waitFor();
  assert.equal(await row.getByRole("button").count(), 0);
  assert.equal((await ask(secret, "{ tasks(first: 1) { nodes { id } } }")).status, 401);
});

test("the dialog shows why the server creates no token", async () => {
  // Requests that pass a service worker do not reach the route.
  const section = await open("token-refused", { serviceWorkers: "block" });
  const { page } = visit;
  const dialog = page.getByRole("dialog");
  await page.route("**/graphql", async (route) => {
    if (!route.request().postData()?.includes("createApiToken")) return route.continue();
    const errors = [{ message: "At most 50 API tokens may be valid at the same time.", extensions: { code: "FORBIDDEN", limit: "apiTokens", max: 50 } }];
    await route.fulfill({ json: { errors, data: { createApiToken: null } } });
  });
  await section.getByRole("button", { name: "Create a token" }).click();
  await dialog.getByLabel("Name").fill("One too many");
  await dialog.getByLabel("Name").press("Enter");
  await dialog.getByRole("alert").getByText("At most 50 API tokens").waitFor();
  assert.equal(await dialog.getByLabel("Name").inputValue(), "One too many");
});
