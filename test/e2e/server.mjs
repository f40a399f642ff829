// Starts the errand binary for a suite on a free port with a new SQLite file, development sign-in and the rules
// model. The environment of the calling process is not passed on.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

// The test runner ends a suite that takes too long by this signal; exiting ends its servers, too.
process.once("SIGTERM", () => process.exit(1));

const built = process.env.ERRAND_BIN ?? join(import.meta.dirname, "..", "..", "bin", "errand");

/**
 * Starts a server; env adds settings to it. Rejects with the server's log if it does not start. It runs in a new folder,
 * or in the given one, which is kept.
 */
export async function startServer(env = {}, { binary = built, folder: given } = {}) {
  const folder = given ?? (await mkdtemp(join(tmpdir(), "errand-e2e-")));
  let running = await launch(binary, folder, env);
  return {
    folder,
    get url() {
      return running.url;
    },
    signIn: (user) => signIn(running.url, user),
    /** Runs a command of the binary beside the server, and returns what it prints. */
    command: (...args) => runCommand(binary, folder, { ...env, ADDR: new URL(running.url).host }, ...args),
    /** Lines of the server's log that contain a text. */
    logged: (text) => running.log.filter((line) => line.includes(text)),
    /** Starts the server again at the same address, after the given function has run while it was down; more adds settings. */
    async restart(whileDown = async () => {}, more = {}) {
      await running.stop();
      await whileDown();
      Object.assign(env, more);
      running = await launch(binary, folder, { ...env, ADDR: new URL(running.url).host });
    },
    /** Kills the server and starts it again at the same address, after the given function has run while it was down. */
    async killAndRestart(whileDown = async () => {}) {
      await running.kill();
      await whileDown();
      running = await launch(binary, folder, { ...env, ADDR: new URL(running.url).host });
    },
    async stop() {
      await running.stop();
      if (!given) await rm(folder, { recursive: true });
    },
  };
}

/** The environment of the binary. */
const environment = (folder, env) => ({
  PATH: process.env.PATH, HOME: folder, ADDR: "127.0.0.1:0", ADMIN_ADDR: "off",
  DATABASE_URL: `sqlite:${join(folder, "errand.db")}`, LLM_PROVIDER: "rules", ...env,
});

/** Runs a command of the binary in the folder, and returns what it prints. */
export async function runCommand(binary, folder, env, ...args) {
  const { stdout } = await promisify(execFile)(binary, args, { cwd: folder, env: environment(folder, env) });
  return stdout.trim();
}

/** Runs the binary over the database in the folder. */
async function launch(binary, folder, env) {
  const child = spawn(binary, ["serve"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: environment(folder, env),
  });
  // A suite that crashes or is stopped must also end its server.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const log = [];
  const url = await serving(child, log);
  return {
    url,
    log,
    /** Ends the process at once, as a crash or a loss of power does. */
    async kill() {
      process.off("exit", kill);
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
    /** Stops the server gracefully; rejects with its log if the exit code is not 0. */
    async stop() {
      process.off("exit", kill);
      if (child.exitCode === null) {
        const exit = once(child, "exit");
        child.kill("SIGTERM");
        await exit;
      }
      if (child.exitCode !== 0) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}\n${log.join("\n")}`);
    },
  };
}

/** Waits for the log line that names the address. */
function serving(child, log) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    const lines = createInterface({ input: child.stderr });
    lines.on("line", (line) => {
      log.push(line);
      if (line.includes('"msg":"serving"')) resolve(JSON.parse(line).url);
    });
    lines.once("close", () => reject(new Error(`the server did not start:\n${log.join("\n")}`)));
  });
}

/** Returns a token of a development user. */
async function signIn(url, user) {
  const response = await fetch(`${url}/dev/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
  return (await response.json()).token;
}
