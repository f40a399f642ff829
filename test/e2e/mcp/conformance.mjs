// Runs either version of the official conformance suite against a server.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The released suite, for revision 2025-11-25. */
export const released = "@modelcontextprotocol/conformance";
/** The pre-release of the suite, for revision 2026-07-28. */
export const next = "conformance-next";

/** Runs a suite and returns its output. Rejects with the output if a check fails. */
export async function runConformance(suite, url, ...args) {
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const cli = join(import.meta.dirname, "node_modules", suite, "dist", "index.js");
    const child = spawn(process.execPath, [cli, "server", "--url", `${url}/mcp`, "-o", folder, ...args], {
      cwd: folder, stdio: ["ignore", "pipe", "pipe"],
    });
    const output = [];
    child.stdout.on("data", (d) => output.push(d));
    child.stderr.on("data", (d) => output.push(d));
    const [code] = await once(child, "close");
    const text = Buffer.concat(output).toString();
    if (code !== 0) throw new Error(`${suite} ${args.join(" ")} ended with ${code}\n${text}`);
    return text;
  } finally {
    await rm(folder, { recursive: true });
  }
}
