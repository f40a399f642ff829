// What a self-hoster does with the files of a release archive and nothing else: set-up link, sign-in by password and by
// passkey, a message, an API token, an assistant with it, a backup that a second machine restores, and an upgrade.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { runCommand, startServer } from "../server.mjs";
import { launch, Visit } from "../web-app/browser.mjs";
import { buildArchive } from "./archive.mjs";

const password = "correct horse battery";
// The defaults of the archive but for the address, which is free, and the pace of the built-in model.
const settings = { ENVIRONMENT: "production", DATABASE_URL: "", LLM_PROVIDER: "", RULES_PACE: "1ms" };

let archive, first, browser, visit, token;
before(async () => {
  [archive, browser] = await Promise.all([buildArchive(), launch()]);
  first = await start("first");
});
after(async () => {
  await visit?.close();
  await browser?.close();
  await first?.stop();
  await archive?.remove();
});

/** Unpacks the archive on a new machine, and starts its binary there. */
async function start(machine, env = {}, prepare = async () => {}) {
  const folder = await archive.unpack(machine);
  await prepare(folder);
  return startServer({ ...settings, ...env }, { folder, binary: join(folder, "errand") });
}

// Browsers have passkeys for names only.
const named = (url) => url.replace("//127.0.0.1:", "//localhost:");
const setUpLink = (server) => named(JSON.parse(server.logged('"set_up_url"')[0]).set_up_url);

/** Calls a tool as an assistant that authenticates with the API token. */
async function callTool(server, name, args) {
  const client = new Client({ name: "assistant", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit }));
  try {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(!result.isError, JSON.stringify(result));
    return JSON.stringify(result);
  } finally {
    await client.close();
  }
}

async function graphql(server, bearer, query) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

test("the set-up link of the log creates the owner, in production too", async () => {
  assert.match(await first.command("version"), /1\.2\.3/);
  visit = await Visit.open(browser, `${named(first.url)}/`, null);
  await visit.page.getByText("This server has no owner yet.").waitFor();
  await visit.page.goto(setUpLink(first));
  await visit.page.getByLabel("User name").fill("owner");
  await visit.page.getByLabel("Password", { exact: true }).fill(password);
  await visit.page.getByLabel("Password", { exact: true }).press("Enter");
  await visit.composer.waitFor();
});

test("a message adds a task", async () => {
  await visit.say("Add task Buy bread tomorrow", "Buy bread");
  await visit.tasks("Buy bread").waitFor();
});

test("a passkey signs in", async () => {
  const { page, context } = visit;
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  await visit.route("#/settings/security");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name of the passkey").fill("My laptop");
  await dialog.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("listitem").filter({ hasText: "My laptop" }).waitFor();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await visit.composer.waitFor();
});

test("an assistant works with an API token", async () => {
  const { page } = visit;
  await visit.route("#/settings/tokens");
  await page.getByRole("button", { name: "Create a token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Assistant");
  await dialog.getByRole("button", { name: "Create a token" }).click();
  token = await page.getByRole("group", { name: "Secret of “Assistant”" }).locator("pre").textContent();
  await callTool(first, "add_task", { title: "Water the plants" });
  await visit.route("#/tasks");
  await visit.tasks("Water the plants").waitFor();
});

test("a second machine restores the backup and continues", async () => {
  const file = join(first.folder, "errand.backup");
  await first.command("backup", file);
  const second = await start("second", {}, (folder) => runCommand(join(folder, "errand"), folder, settings, "restore", file));
  try {
    assert.equal(second.logged('"set_up_url"').length, 0, "the account is in the backup");
    const other = await Visit.open(browser, `${named(second.url)}/`, null);
    await other.page.getByLabel("User name").fill("owner");
    await other.page.getByLabel("Password", { exact: true }).fill(password);
    await other.page.getByLabel("Password", { exact: true }).press("Enter");
    await other.composer.waitFor();
    for (const title of ["Buy bread", "Water the plants"]) await other.tasks(title).waitFor();
    assert.match(await callTool(second, "list_tasks", {}), /Water the plants/);
    await other.close();
  } finally {
    await second.stop();
  }
});

test("the database of an earlier version is upgraded, and accounts are added", async () => {
  const secret = "a secret of at least thirty-two characters";
  const earlier = join(import.meta.dirname, "..", "..", "upgrade", "testdata", "sqlite.db.gz");
  const upgraded = await start("third", { BETTER_AUTH_SECRET: secret }, async (folder) => {
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data", "errand.db"), gunzipSync(await readFile(earlier)), { mode: 0o600 });
  });
  try {
    const copies = (await readdir(join(upgraded.folder, "data"))).filter((name) => name.endsWith(".backup"));
    assert.equal(copies.length, 1, "the file is copied before its migration");
    const count = "{ tasks { totalCount } serverInfo { auth { methods { kind } } } }";
    const before = await graphql(upgraded, signed(secret, "alice"), count);
    assert.ok(before.data.tasks.totalCount > 0);
    assert.deepEqual(before.data.serverInfo.auth.methods, [{ kind: "IDENTITY_PROVIDER" }]);
    await upgraded.restart(async () => {}, { AUTH: "local" });
    const both = await graphql(upgraded, signed(secret, "alice"), count);
    assert.equal(both.data.tasks.totalCount, before.data.tasks.totalCount);
    assert.deepEqual(both.data.serverInfo.auth.methods.map(({ kind }) => kind).sort(), ["IDENTITY_PROVIDER", "LOCAL"]);
    assert.ok(setUpLink(upgraded));
  } finally {
    await upgraded.stop();
  }
});

/** A token as Better Auth signs it with its secret. */
function signed(secret, sub) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub, iat: now, exp: now + 600 })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
