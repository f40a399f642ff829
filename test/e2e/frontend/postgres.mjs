// Starts a PostgreSQL server, with the program that the Go tests use.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..", "..");

/** Returns {urls, stop} of a server with empty databases; rejects if it does not start. */
export async function startPostgres(names) {
  const child = spawn("go", ["run", "./test/e2e/postgres", ...names], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const read = async () => {
    const urls = [];
    for await (const url of lines) if (urls.push(url) === names.length) return urls;
    throw new Error("PostgreSQL does not start");
  };
  return {
    urls: await read(),
    async stop() {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}
