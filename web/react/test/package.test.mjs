import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

const folder = join(import.meta.dirname, "..");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const run = (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

/** The names and texts of the files in a folder. */
async function files(path) {
  const names = (await readdir(path)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), "utf8")])));
}

/** Runs body with a new folder beside the sources, from which packages are found. */
async function withFolder(body) {
  await mkdir(join(folder, "node_modules", ".cache"), { recursive: true });
  const path = await mkdtemp(join(folder, "node_modules", ".cache", "test-"));
  try {
    await body(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

test("the committed files are what the sources build", () =>
  withFolder(async (path) => {
    run(join(folder, "..", "client", "build.mjs"), path);
    assert.deepEqual(await files(join(folder, "dist")), await files(path), "run make -C web packages");
  }));

test("the readme's chat with tasks compiles strictly and has at most 40 lines", () =>
  withFolder(async (path) => {
    const readme = await readFile(join(folder, "README.md"), "utf8");
    const example = /```tsx\n([\s\S]*?)```/.exec(readme)[1];
    const lines = example.trimEnd().split("\n").length;
    assert.ok(lines <= 40, `${lines} lines`);
    await writeFile(join(path, "App.tsx"), example);
    await writeFile(join(path, "token.ts"), "export const getToken = async (): Promise<string | null> => null;\n");
    const options = ["--strict", "--noEmit", "--jsx", "react-jsx", "--module", "nodenext", "--target", "es2022", "--types", "react", "--skipLibCheck"];
    try {
      run(tsc, ...options, join(path, "App.tsx"));
    } catch (error) {
      assert.fail(error.stdout);
    }
  }));
