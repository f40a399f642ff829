// Starts a PostgreSQL server, with the program that the Go tests use.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..", "..");

/** Returns {url, stop} of a server with an empty database; rejects if it does not start. */
export async function startPostgres() {
  const child = spawn("go", ["run", "./test/e2e/postgres"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const [url] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`PostgreSQL does not start: ${code}`))),
  ]);
  return {
    url,
    async stop() {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}
