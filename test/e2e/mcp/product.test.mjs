// The scenarios that need no fixtures, against the errand binary.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "../server.mjs";
import { runConformance, next, released } from "./conformance.mjs";
import { startProxy } from "./proxy.mjs";

const scenarios = {
  [released]: ["server-initialize", "ping", "tools-list", "resources-list", "prompts-list", "server-sse-multiple-streams", "dns-rebinding-protection"],
  [next]: [
    "tools-list", "resources-list", "prompts-list", "sep-2164-resource-not-found", "caching", "http-header-validation",
    "server-sse-multiple-streams", "dns-rebinding-protection",
  ],
};

let server, proxy;
before(async () => {
  server = await startServer();
  proxy = await startProxy(server.url, await server.signIn("alice"));
});
after(async () => {
  await proxy?.stop();
  await server?.stop();
});

for (const [suite, names] of Object.entries(scenarios)) {
  const revision = suite === next ? "2026-07-28" : "2025-11-25";
  for (const name of names) {
    test(`${revision} ${name}`, async () => {
      const text = await runConformance(suite, proxy.url, "--scenario", name, "--spec-version", revision);
      assert.match(text, /[1-9]\d*\/[1-9]\d* passed|[1-9]\d* passed, 0 failed|Passed: [1-9]/, text);
    });
  }
}
