// The programs of docs/FRONTEND.md that are not pages.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startLink } from "../link.mjs";

/** Runs a program that sends a message; the server is killed in the middle of the reply. */
export async function survivesCrash({ server, command }) {
  const link = await startLink(server);
  const child = spawn(command[0], [...command.slice(1), "Add a task to feed the cat tomorrow"], {
    env: { ...process.env, ERRAND_URL: link.url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "", log = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const end = once(child, "exit");
  try {
    await Promise.race([once(child.stdout, "data"), end]);
    assert.equal(child.exitCode, null, `the program ended too early:\n${log}`);
    link.cut();
    await server.killAndRestart();
    link.mend();
    await end;
    assert.equal(child.exitCode, 0, log);
    assert.match(output, /Added task 1: Feed the cat, due tomorrow \(.+\)\.\n$/);
  } finally {
    child.kill();
    link.close();
  }
}
