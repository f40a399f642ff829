// Sign-in at an OpenID Connect provider, beside built-in accounts.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { launch, Visit } from "./browser.mjs";
import { startProvider } from "./provider.mjs";

const provider = await startProvider({ clientId: "errand" });
const server = await startServer({ AUTH: "local", AUTH_OIDC_ISSUER: provider.url, AUTH_OIDC_CLIENT_ID: "errand", RULES_PACE: "1ms" });
const browser = await launch();
after(async () => {
  await browser.close();
  await server.stop();
  provider.stop();
});

let visit;
afterEach(async () => {
  provider.refuses = false;
  await visit?.close();
  visit = null;
});

async function open() {
  visit = await Visit.open(browser, `${server.url}/`, null);
  visit.allow(provider.url);
  return visit.page;
}
const button = (page) => page.getByRole("button", { name: `Sign in with ${new URL(provider.url).host}` });

test("a user signs in at the provider, stays signed in after a reload, and signs out", async () => {
  const page = await open();
  await page.getByText("or", { exact: true }).waitFor();
  await visit.picture("oidc-sign-in");
  await button(page).click();
  await visit.composer.waitFor();
  assert.equal(page.url(), visit.url);
  await visit.say("Add task Buy bread", "Buy bread");
  await page.reload();
  await visit.tasks("Buy bread").waitFor();
  const kept = await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]));
  assert.doesNotMatch(kept, /eyJ|errand_oidc/);
  await visit.route("#/settings");
  await page.getByRole("heading", { name: "API tokens" }).waitFor();
  // Password and passkeys are the provider's.
  assert.equal(await page.getByRole("heading", { name: "Passkeys" }).count(), 0);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await button(page).waitFor();
  await page.reload();
  await button(page).waitFor();
});

test("a refusal of the provider is shown once", async () => {
  const page = await open();
  provider.refuses = true;
  await button(page).click();
  await page.getByRole("alert").getByText("The identity provider has refused the sign-in.").waitFor();
  assert.equal(new URL(page.url()).hash, "#/");
  await page.reload();
  await button(page).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
});
