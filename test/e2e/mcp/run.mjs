// Builds the binary and the fixture and runs the suites with Node 22, which the
// conformance suite and the inspector need: this one, or the one among the packages.
// Run with `npm ci && npm test`; needs Go.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;

function node22() {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const packaged = join(here, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(packaged)) return packaged;
  throw new Error("Node 22 is needed: this is an older one, and npm has none for this platform");
}

function run(command, args, env) {
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) throw error;
  return status ?? 1;
}

const folder = mkdtempSync(join(tmpdir(), "errand-mcp-"));
const env = { ERRAND_BIN: process.env.ERRAND_BIN ?? join(folder, "errand"), FIXTURE_BIN: join(folder, "fixture") };
try {
  if (!process.env.ERRAND_BIN && run("go", ["build", "-o", env.ERRAND_BIN, "../../../cmd/errand"]) !== 0) throw new Error("errand does not build");
  if (run("go", ["build", "-o", env.FIXTURE_BIN, "./fixture"]) !== 0) throw new Error("the fixture does not build");
  const wanted = process.argv.slice(2);
  const suites = readdirSync(here).filter((f) => f.endsWith(".test.mjs") && (wanted.length === 0 || wanted.some((w) => f.startsWith(w))));
  process.exitCode = run(node22(), ["--test", "--test-reporter=spec", "--test-concurrency=1", ...suites], env);
} finally {
  rmSync(folder, { recursive: true });
}
