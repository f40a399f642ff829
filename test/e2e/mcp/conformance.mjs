// Runs the official conformance suite, in both its versions, against a server.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The suite's release, which knows revision 2025-11-25. */
export const released = "@modelcontextprotocol/conformance";
/** Its next version, which knows revision 2026-07-28. */
export const next = "conformance-next";

/** Runs a suite with arguments; rejects with what it printed unless it is content. */
export async function conform(suite, url, ...args) {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const cli = join(import.meta.dirname, "node_modules", suite, "dist", "index.js");
    const child = spawn(process.execPath, [cli, "server", "--url", `${url}/mcp`, "-o", folder, ...args], {
      cwd: folder, stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = [];
    child.stdout.on("data", (d) => printed.push(d));
    child.stderr.on("data", (d) => printed.push(d));
    const [code] = await once(child, "close");
    const text = Buffer.concat(printed).toString();
    if (code !== 0) throw new Error(`${suite} ${args.join(" ")} ended with ${code}\n${text}`);
    return text;
  } finally {
    await rm(folder, { recursive: true });
  }
}
