// Sign-in at an OpenID Connect provider, beside built-in accounts. Screenshots are kept in .cache/e2e/page.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
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

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

async function open(options) {
  visit = await Visit.open(browser, `${server.url}/`, null, options);
  visit.allow(provider.url);
  return visit.page;
}
const button = (page) => page.getByRole("button", { name: `Sign in with ${new URL(provider.url).host}` });

test("a user signs in at the provider, stays signed in after a reload, and signs out", async () => {
  const page = await open();
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

for (const viewport of [{ width: 1280, height: 800 }, { width: 820, height: 1180 }, { width: 390, height: 844 }]) {
  for (const [colorScheme, locale] of [["light", "en-US"], ["dark", "de-DE"]]) {
    test(`axe finds nothing in a sign-in with a provider and without an owner, ${colorScheme}, ${viewport.width} wide`, async () => {
      const page = await open({ viewport, colorScheme, locale, reducedMotion: "reduce" });
      await visit.context.addInitScript({ path: axe });
      // The code in the address is read once, by the page that shows it: it must not be the one before the reload.
      await page.locator(".or").waitFor();
      await page.goto(`${visit.url}#/sign-in?error=sign_in_expired`);
      await page.reload();
      await page.getByRole("alert").waitFor();
      await page.locator(".or").waitFor();
      await visit.picture(`account-provider-${viewport.width}-${colorScheme}`);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      assert.deepEqual(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`)), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), viewport.width);
    });
  }
}
