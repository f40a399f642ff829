// All scenarios against the fixture, which uses the product's guard. Expected failures are listed with their reasons,
// and the suite fails if a listed scenario passes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { runConformance, next, released } from "./conformance.mjs";
import { startProxy } from "./proxy.mjs";

let fixture, proxy;
before(async () => {
  fixture = spawn(process.env.FIXTURE_BIN, { stdio: ["ignore", "ignore", "pipe"] });
  process.once("exit", () => fixture.kill("SIGKILL"));
  for await (const line of createInterface({ input: fixture.stderr })) {
    const url = line.match(/serving (http:\S+)/)?.[1];
    if (!url) throw new Error(line);
    proxy = await startProxy(url, "fixture-token");
    break;
  }
});
after(async () => {
  await proxy?.stop();
  fixture?.kill();
});

const expected = (name) => join(import.meta.dirname, "expected-failures", name);

test("2025-11-25", async () => {
  const text = await runConformance(released, proxy.url, "--suite", "all", "--expected-failures", expected("2025-11-25.yml"));
  assert.match(text, /Total: \d\d passed/, text);
});

test("2026-07-28", async () => {
  const text = await runConformance(next, proxy.url, "--requirements", "2026-07-28", "--expected-failures", expected("2026-07-28.yml"));
  assert.match(text, /Total: \d\d\d passed/, text);
});
