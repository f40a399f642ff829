// All tools through the inspector's command line, over HTTP and over stdio.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startServer } from "../server.mjs";

const cli = join(import.meta.dirname, "node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js");
const run = promisify(execFile);

let server, folder;
before(async () => {
  server = await startServer();
  folder = await mkdtemp(join(tmpdir(), "errand-inspector-"));
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

/** Runs the inspector and parses its output. */
async function inspect(target, ...args) {
  const { stdout } = await run(process.execPath, [cli, "--cli", ...target, ...args], {
    cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, timeout: 60_000,
  });
  return JSON.parse(stdout);
}

async function exercise(target) {
  const call = async (tool, ...args) => {
    const given = args.length > 0 ? ["--tool-arg", ...args] : [];
    return (await inspect(target, "--method", "tools/call", "--tool-name", tool, ...given)).structuredContent;
  };
  const { tools } = await inspect(target, "--method", "tools/list", "--strict");
  assert.equal(tools.length, 11);
  assert.equal((await call("add_task", "title=Inspect the roof", "priority=low")).task.number, 1);
  assert.equal((await call("list_tasks", "status=pending")).total, 1);
  assert.equal((await call("update_task", "number=1", "due_on=2026-12-01")).task.due_on, "2026-12-01");
  const read = await inspect(target, "--method", "resources/read", "--uri", "errand://tasks/1");
  assert.equal(JSON.parse(read.contents[0].text).task.title, "Inspect the roof");
  assert.equal((await call("complete_task", "number=1")).changed, true);
  assert.equal((await call("reopen_task", "number=1")).task.completed, false);
  const prompt = await inspect(target, "--method", "prompts/get", "--prompt-name", "daily_review");
  assert.equal(prompt.messages.length, 2);
  assert.equal((await call("delete_task", "number=1")).task.number, 1);
  assert.equal((await call("list_tasks")).total, 0);
}

test("over HTTP", async () => {
  const token = await server.signIn("dora");
  await exercise([`${server.url}/mcp`, "--transport", "http", "--header", `Authorization: Bearer ${token}`]);
});

test("over stdio", async () => {
  await exercise([process.env.ERRAND_BIN, "mcp", "--user", "dora", "-e", `DATABASE_URL=sqlite:${join(folder, "own.db")}`, "-e", "LOG_LEVEL=error"]);
});
