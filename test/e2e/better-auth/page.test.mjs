// The page signs users in at a Better Auth server. CHROMIUM is the path of the browser (default: /usr/bin/chromium).
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { startServer } from "../server.mjs";
import { startProvider } from "./provider.mjs";

const pages = [];
const provider = await startProvider({ pages });
const errand = await startServer({ AUTH_JWKS_URL: provider.jwks, RULES_PACE: "1ms" });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
after(async () => {
  await browser.close();
  await errand.stop();
  await provider.stop();
});

/** Opens the page in a new profile. It collects uncaught errors and violations of the policy. */
async function open() {
  const context = await browser.newContext({ locale: "en-US" });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.stack));
  page.on("console", (message) => /Content.Security.Policy/i.test(message.text()) && faults.push(message.text()));
  await page.goto(`${errand.url}/`);
  return { context, page, faults };
}

async function signIn(page, email, password) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

const composer = (page) => page.getByRole("textbox", { name: "Message", exact: true });

test("without the permission of the Better Auth server, a token from there is pasted", async () => {
  const { email, token } = await provider.signUp("Bob");
  const { context, page } = await open();
  await signIn(page, email, "a password for tests");
  await page.getByText("does not allow this page to sign in").waitFor();
  await page.getByLabel("Access token").fill(await token());
  await page.getByLabel("Access token").press("Enter");
  await composer(page).waitFor();
  await context.close();
});

test("a user signs in with e-mail and password, stays signed in, and signs out at the Better Auth server", async () => {
  pages.push(new URL(errand.url).origin);
  const { email } = await provider.signUp("Alice");
  const { context, page, faults } = await open();
  await signIn(page, email, "not the password");
  await page.getByRole("alert").getByText("E-mail or password is wrong.").waitFor();
  await signIn(page, email, "a password for tests");
  await composer(page).waitFor();
  const kept = await page.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]));
  assert.doesNotMatch(kept, /eyJ/);
  await page.reload();
  await composer(page).waitFor();
  await page.goto(`${errand.url}/#/settings`);
  await page.getByText(email).first().waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByLabel("E-mail").waitFor();
  await page.reload();
  await page.getByLabel("E-mail").waitFor();
  const status = await page.evaluate((url) => fetch(url, { credentials: "include" }).then((r) => r.status), `${provider.base}/api/auth/token`);
  assert.equal(status, 401);
  assert.deepEqual(faults, []);
  await context.close();
});
