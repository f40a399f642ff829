import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const web = join(import.meta.dirname, "..", "..");
const json = async (...path) => JSON.parse(await readFile(join(web, ...path), "utf8"));

/** The names and texts of the files in a folder. */
async function files(folder) {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])));
}

test("the committed files are what the sources build", async () => {
  const folder = await mkdtemp(join(tmpdir(), "errand-build-"));
  execFileSync(process.execPath, [join(web, "client", "build.mjs"), folder], { cwd: join(web, "client") });
  assert.deepEqual(await files(join(web, "client", "dist")), await files(folder), "run make -C web packages");
  await rm(folder, { recursive: true });
});

/** Size of a minified bundle with these exports, compressed, without the peers. */
async function size(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true, minify: true, write: false, format: "esm", treeShaking: true,
    external: ["graphql", "graphql-ws", "@apollo/client", "@urql/core", "rxjs", "wonka", "react"],
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

test("the whole package has less than 6 kB", async (t) => {
  const bytes = await size(`export * from "@errand/client"; export * from "@errand/client/apollo"; export * from "@errand/client/urql";`);
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes < 6000, `${bytes} bytes`);
});

test("an application pays only for what it imports", async (t) => {
  const bytes = await size(`export { reduceConversation } from "@errand/client";`);
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes < 800, `${bytes} bytes`);
});

test("the packages have the version of the server", async () => {
  const makefile = await readFile(join(web, "..", "Makefile"), "utf8");
  const version = /^VERSION .*,([0-9][^)]*)\)$/m.exec(makefile)[1];
  for (const name of ["client", "react"]) {
    assert.equal((await json(name, "package.json")).version, version);
    assert.equal((await json(name, "package-lock.json")).version, version);
  }
  assert.equal((await json("react", "package.json")).peerDependencies["@errand/client"], version);
});
