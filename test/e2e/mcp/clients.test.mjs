// All tools, resources and prompts through the official TypeScript clients, for each protocol revision, over HTTP and
// over stdio.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as v2 from "@modelcontextprotocol/client";
import * as v2stdio from "@modelcontextprotocol/client/stdio";
import { Client as V1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as V1Stdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as V1Http } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startServer } from "../server.mjs";

const clientInfo = { name: "node-desk", version: "1.0.0" };
const clients = {
  "2025-11-25": {
    make: () => new V1(clientInfo),
    http: (url, options) => new V1Http(url, options),
    stdio: (params) => new V1Stdio(params),
  },
  "2026-07-28": {
    make: () => new v2.Client(clientInfo, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
    http: (url, options) => new v2.StreamableHTTPClientTransport(url, options),
    stdio: (params) => new v2stdio.StdioClientTransport(params),
  },
};

/** Uses every tool, resource and prompt once. Returns the number of the task that it created and deleted. */
async function exercise(client) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name).sort(),
    ["add_task", "complete_task", "delete_task", "get_task", "list_tasks", "recent_changes", "reopen_task", "restore_task",
      "set_time_zone", "undo", "update_task"]);
  const call = async (name, args) => {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(!result.isError, JSON.stringify(result.content));
    assert.ok(result.content[0].text.length > 0);
    return result.structuredContent;
  };
  const { task } = await call("add_task", { title: "Kräuter gießen 🌿", priority: "high", due_on: "2026-12-01" });
  assert.equal(task.title, "Kräuter gießen 🌿");
  assert.equal((await call("list_tasks", { status: "pending", search: "gießen" })).total, 1);
  assert.equal((await call("update_task", { number: task.number, clear: ["due"] })).task.due_on, undefined);
  const resources = await client.listResources();
  assert.ok(resources.resources.some((r) => r.uri === `errand://tasks/${task.number}`));
  const read = await client.readResource({ uri: "errand://tasks/open" });
  assert.equal(JSON.parse(read.contents[0].text).tasks.at(-1).title, "Kräuter gießen 🌿");
  const prompt = await client.getPrompt({ name: "daily_review" });
  assert.match(prompt.messages[1].content.resource.text, /Kräuter/);
  assert.equal((await call("complete_task", { number: task.number })).changed, true);
  assert.equal((await call("complete_task", { number: task.number })).changed, false);
  const reopened = await call("reopen_task", { number: task.number });
  assert.deepEqual([reopened.changed, reopened.task.completed], [true, false]);
  assert.equal((await call("delete_task", { number: task.number })).task.number, task.number);
  assert.equal((await call("list_tasks", { search: "gießen" })).total, 0);
  const missing = await client.callTool({ name: "complete_task", arguments: { number: 9999 } });
  assert.equal(missing.isError, true);
  assert.match(missing.content[0].text, /no task 9999/);
  return task.number;
}

let server;
before(async () => { server = await startServer(); });
after(async () => { await server?.stop(); });

async function graphql(token, query, variables) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

for (const [revision, kind] of Object.entries(clients)) {
  describe(revision, () => {
    test("over HTTP, with the change log naming the client", async () => {
      const token = await server.signIn("alice");
      const client = kind.make();
      await client.connect(kind.http(new URL(`${server.url}/mcp`), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }));
      const number = await exercise(client);
      await client.close();
      const { tasks } = await graphql(token,
        "{ tasks(first: 10, filter: { trashed: true }) { nodes { number completed changes(first: 10) { nodes { kind actor client } } } } }");
      const task = tasks.nodes.find((t) => t.number === number);
      assert.equal(task.completed, false);
      assert.deepEqual(task.changes.nodes.map((c) => c.kind), ["CREATED", "UPDATED", "COMPLETED", "REOPENED", "DELETED"]);
      for (const change of task.changes.nodes) assert.deepEqual([change.actor, change.client], ["MCP", "node-desk"]);
    });

    test("over stdio", async () => {
      const folder = await mkdtemp(join(tmpdir(), "errand-stdio-"));
      const client = kind.make();
      await client.connect(kind.stdio({
        command: process.env.ERRAND_BIN, args: ["mcp", "--user", "alice"], cwd: folder, stderr: "inherit",
        env: { PATH: process.env.PATH, DATABASE_URL: `sqlite:${join(folder, "own.db")}`, LOG_LEVEL: "error" },
      }));
      await exercise(client);
      await client.close();
      await rm(folder, { recursive: true });
    });

    test("without a token", async () => {
      const client = kind.make();
      await assert.rejects(client.connect(kind.http(new URL(`${server.url}/mcp`), {})), /401|Unauthorized|Sign in/);
    });
  });
}

test("a subscription reports changes", async () => {
  const token = await server.signIn("carol");
  const options = { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
  const client = clients["2026-07-28"].make();
  const updated = [];
  let wake = () => {};
  client.setNotificationHandler("notifications/resources/updated", (n) => { updated.push(n.params.uri); wake(); });
  await client.connect(clients["2026-07-28"].http(new URL(`${server.url}/mcp`), options));
  const subscription = await client.listen({ resourceSubscriptions: ["errand://tasks/open"] });
  await graphql(token, 'mutation { createTask(input: { title: "Created over GraphQL" }) { task { id } } }');
  while (!updated.includes("errand://tasks/open")) await new Promise((resolve) => { wake = resolve; });
  await subscription.close();
  await client.close();
});
