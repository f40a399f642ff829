// Makes an application from the template of create-vite and given files, and builds it as its user does.
import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { preview } from "vite";

const here = import.meta.dirname;
const root = join(here, "..", "..", "..");
// The go command skips folders with such a name: a document has a Go program.
const folder = join(here, "_build");
export const binary = process.env.ERRAND_BIN ?? join(root, "bin", "errand");

/** How the documents start an application. */
const start = "npm run dev\n";

const installed = (command) => join(here, "node_modules", ".bin", command);

/** Vite sets NODE_ENV in this process, with which npm would not install what builds an application. */
const inherited = () => ({ ...process.env, NODE_ENV: undefined });

/** Runs a program and returns its output; rejects with what it has written if it fails. */
export async function run(command, args, cwd, env = {}) {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env: { ...inherited(), ...env } });
    return stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}: ${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

/** Empties the folder of the applications and installs the packages there, as npm packs them. */
export async function prepare() {
  await rm(folder, { recursive: true, force: true });
  for (const name of ["client", "react"]) {
    const target = join(folder, "node_modules", "@errand", name);
    await mkdir(target, { recursive: true });
    const args = ["pack", "--json", "--pack-destination", folder];
    const [packed] = JSON.parse(await run("npm", args, join(root, "web", name)));
    await run("tar", ["-xzf", join(folder, packed.filename), "--strip-components=1", "-C", target], folder);
  }
}

/**
 * Makes an application from the template react-ts, adds files (name to text) and builds it with the template's own
 * command and settings, and with strict types, which the template leaves to the compiler's default.
 */
export async function makeApp(name, files) {
  await run(installed("create-vite"), [name, "--template", "react-ts", "--no-interactive"], folder);
  const app = join(folder, name);
  await write(app, files);
  if ("codegen.ts" in files) {
    await writeFile(join(app, "schema.graphql"), await run(binary, ["schema"], app));
    await run(installed("graphql-codegen"), [], app);
  }
  await run(installed("tsc"), ["--noEmit", "--strict", "-p", "tsconfig.app.json"], app);
  await run("npm", ["run", "build"], app);
  return app;
}

/** Makes a copy of an application, with other files added, and builds it. */
export async function copyApp(source, name, files) {
  const app = join(folder, name);
  await cp(source, app, { recursive: true });
  await write(app, files);
  await run("npm", ["run", "build"], app);
  return app;
}

/**
 * Follows a document as a new user does: runs its shell commands in an empty folder beside a clone, and writes its files
 * after the first ones. Returns the folder of the application, which is built, and a function that removes all.
 */
export async function followDocument(blocks, files) {
  const empty = await mkdtemp(join(tmpdir(), "errand-newcomer-"));
  const clone = join(empty, "errand");
  await mkdir(join(clone, "bin"), { recursive: true });
  await symlink(join(root, "web"), join(clone, "web"));
  await symlink(binary, join(clone, "bin", "errand"));
  const app = join(empty, "chat");
  const commands = blocks.filter(({ language, text }) => language === "sh" && text !== start).map(({ text }) => text);
  const settings = { npm_config_audit: "false", npm_config_fund: "false", npm_config_prefer_offline: "true" };
  for (const [i, text] of commands.entries()) {
    await run("sh", ["-e", "-c", text], i === 0 ? empty : app, settings);
    if (i === 0) await write(app, files);
  }
  await run("npm", ["run", "build"], app);
  return { app, remove: () => rm(empty, { recursive: true }) };
}

/** Starts an application as the document says, and returns its address. */
export async function serveInDevelopment(app) {
  const child = spawn("sh", ["-c", `exec ${start}`], { cwd: app, env: inherited(), detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let log = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    log += stripVTControlCharacters(text);
    const url = log.match(/Local: +(http:\/\/localhost:\d+)/)?.[1];
    // npm, the shell and Vite.
    if (url) return { url, close: () => process.kill(-child.pid) };
  }
  throw new Error(`the application does not start:\n${log}`);
}

async function write(app, files) {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(app, file)), { recursive: true });
    await writeFile(join(app, file), text);
  }
}

/** Builds the example as its README says. Its packages are installed inside its folder. */
export async function buildExample(name) {
  const app = join(root, "examples", name);
  await run("npm", ["ci", "--no-audit", "--no-fund"], app);
  await run("npm", ["run", "build"], app);
  return app;
}

/** Serves a built application on a free port of localhost. */
export async function serveApp(app) {
  const server = await preview({ root: app, preview: { port: 0, host: "localhost" }, logLevel: "error" });
  const { port } = server.httpServer.address();
  return { url: `http://localhost:${port}`, close: () => server.close() };
}
