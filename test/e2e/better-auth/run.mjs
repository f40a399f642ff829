// Builds the binary and runs the story with Node 22, whose SQLite the Better Auth server
// uses: this Node, or the one among the packages. Run with `npm ci && npm test`; needs Go.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
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

const folder = mkdtempSync(join(tmpdir(), "errand-better-auth-"));
const env = { ERRAND_BIN: process.env.ERRAND_BIN ?? join(folder, "errand") };
try {
  if (!process.env.ERRAND_BIN && run("go", ["build", "-o", env.ERRAND_BIN, "../../../cmd/errand"]) !== 0) throw new Error("errand does not build");
  process.exitCode = run(node22(), ["--no-warnings", "--test", "--test-reporter=spec", "story.test.mjs"], env);
} finally {
  rmSync(folder, { recursive: true });
}
