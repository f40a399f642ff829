// Runs a suite whose packages need Node 22: builds the Go programs it needs, then runs its tests with this Node, or
// with the Node 22 among the suite's packages if this one is older.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs the test files in a folder whose names start with one of the program's arguments, or all files. builds maps
 * environment variables to Go packages: each is set to the path of a binary, which is built unless already set.
 */
export function runSuite(folder, builds, options = []) {
  const binaries = mkdtempSync(join(tmpdir(), "errand-e2e-"));
  const env = { ...process.env };
  const run = (command, args) => {
    const { status, error } = spawnSync(command, args, { cwd: folder, stdio: "inherit", env });
    if (error) throw error;
    return status ?? 1;
  };
  try {
    for (const [variable, source] of Object.entries(builds)) {
      if (env[variable]) continue;
      env[variable] = join(binaries, variable.toLowerCase());
      if (run("go", ["build", "-o", env[variable], source]) !== 0) throw new Error(`${source} does not build`);
    }
    const prefixes = process.argv.slice(2);
    const selected = (name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
    const files = readdirSync(folder).filter((name) => name.endsWith(".test.mjs") && selected(name));
    process.exitCode = run(node22(folder), ["--test", "--test-reporter=spec", ...options, ...files]);
  } finally {
    rmSync(binaries, { recursive: true });
  }
}

function node22(folder) {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const packaged = join(folder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(packaged)) return packaged;
  throw new Error("Node 22 is needed: this is an older one, and npm has none for this platform");
}
